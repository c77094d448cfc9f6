"""The JavaScript around a script: it sets the bindings, converts the result to JSON, and cleans up."""

from __future__ import annotations

__all__ = ["HARNESS"]

# `__conductor(source, bindings)` gives "v" and the value as JSON, or a letter for the kind of what was thrown ("e" an
# error, "t" any other value, "s" the script's own syntax) and its message and stack as JSON.
#
# Numbers are written as the server keeps them: whole ones within 64 bits as integers, all others as doubles.
HARNESS = r"""
(() => {
  for (const name of ["console", "Temporal", "WebAssembly"]) delete globalThis[name];
  for (const name of ["setTimeout", "clearTimeout"]) // cannot be deleted
    globalThis[name] = () => { throw new ReferenceError(`${name} is not defined`); };
  const evaluate = eval, parse = JSON.parse, text = JSON.stringify, names = Object.getOwnPropertyNames;
  const is = Object.is, keys = Object.keys, own = Set, number = Number, big = BigInt, string = String, list = Array;
  const isWhole = Number.isInteger, isList = Array.isArray, isView = ArrayBuffer.isView, isFinite = Number.isFinite;
  const LIMIT = 2 ** 63, error = Error, syntax = SyntaxError, pairs = Object.entries;
  const wellFormed = (value) => value.toWellFormed();

  const writeNumber = (value) => {
    if (!isFinite(value)) return `"${value}"`;
    if (is(value, -0)) return "-0.0";
    if (!isWhole(value)) return string(value);
    if (value >= -LIMIT && value < LIMIT) return big(value).toString();
    const digits = string(value);
    return digits.includes("e") ? digits : digits + ".0";
  };
  const fits = (value) => value >= -(2n ** 63n) && value < 2n ** 63n;
  const entry = ([key, value]) => `${text(wellFormed(string(key)))}:${write(value)}`;
  const entries = (pairs) => `{${pairs.map(entry).join()}}`;
  const write = (value) => {
    if (value instanceof string || value instanceof number || value instanceof Boolean) value = value.valueOf();
    switch (typeof value) {
      case "undefined": return "null";
      case "boolean": return string(value);
      case "number": return writeNumber(value);
      case "bigint": return fits(value) ? string(value) : writeNumber(number(value));
      case "string": return text(wellFormed(value));
      case "symbol": return "{}";
    }
    if (value === null) return "null";
    if (isList(value) || (isView(value) && !(value instanceof DataView))) return `[${list.from(value, write).join()}]`;
    if (value instanceof Map) return entries([...value]);
    return entries(keys(value).map((key) => [key, value[key]]));
  };
  const describe = (thrown) => {
    if (thrown instanceof error) return ["e", `${thrown.name}${thrown.message ? ": " + thrown.message : ""}`];
    return ["t", thrown !== null && typeof thrown === "object" ? "Error" : string(thrown)];
  };
  const stack = (thrown) => {
    const lines = thrown instanceof error ? string(thrown.stack).split("\n") : [];
    return lines.filter((line) => /^ +at /.test(line)).join("\n");
  };

  const clean = () => { for (const name of names(globalThis)) if (!given.has(name)) delete globalThis[name]; };

  Object.defineProperty(globalThis, "__conductor", { value: (source, bindings) => {
    clean(); // a script that was interrupted could not
    try {
      for (const [name, value] of pairs(parse(bindings))) globalThis[name] = value;
      return "v" + write(evaluate(source));
    } catch (thrown) {
      const [kind, message] = describe(thrown), frames = stack(thrown);
      const unread = thrown instanceof syntax && frames && !frames.includes("eval at");
      return (unread ? "s" : kind) + text([message, frames]);
    } finally {
      clean();
    }
  } });
  Object.defineProperty(globalThis, "__conductor_reads", { value: (source) => {
    try { evaluate("throw 0;" + source); } catch (thrown) { return thrown === 0; } finally { clean(); }
  } });
  const given = new own(names(globalThis));
})()
"""
