"""`${…}`: what expressions see, how they are evaluated, and the inputs and outputs made of them."""
