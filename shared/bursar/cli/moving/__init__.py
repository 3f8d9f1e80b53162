"""`bursar import`: moves a team here from any-llm-gateway or LiteLLM, without changing its keys."""
