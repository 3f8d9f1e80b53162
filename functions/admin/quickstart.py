"""The page at `/`, for somebody who opens the gateway in a browser."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Bursar</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 46rem; padding: 0 1rem }
pre { background: #f4f4f4; overflow-x: auto; padding: 1rem }
</style>
<h1>Bursar</h1>
<p>This gateway is running. Two requests lead to a first answer; in both,
<code>$GATEWAY</code> stands for this page's address.</p>
<h2>1. Issue a virtual key</h2>
<pre>curl $GATEWAY/v1/keys \\
  -H "Authorization: Bearer $BURSAR_MASTER_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"key_name": "first", "user_id": "me"}'</pre>
<p>The answer's <code>key</code> is shown this once.</p>
<h2>2. Ask a model</h2>
<pre>curl $GATEWAY/v1/chat/completions \\
  -H "Authorization: Bearer $VIRTUAL_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "openai:gpt-4o-mini",
       "messages": [{"role": "user", "content": "Hello"}]}'</pre>
<p>Any OpenAI SDK works with <code>base_url="$GATEWAY/v1"</code> and the virtual key as its
<code>api_key</code>. A model needs a price before it is served:
<code>POST /v1/pricing</code>.</p>
<p>More: <a href="docs">every management route</a>, <a href="health/readiness">readiness</a>.</p>
</html>
"""


@router.get("/", include_in_schema=False)
async def quickstart() -> HTMLResponse:
    return HTMLResponse(_PAGE)
