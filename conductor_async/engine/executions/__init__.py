"""Operations on whole executions: start, pause, skip, retry, restart, rerun, and runs on mocked outputs."""
