-- One chat request of BODY bytes, as wrk sends it again and again: words with an escaped line break each 66 bytes, as prompts have them.
-- HEADERS may hold further header lines. When wrk is done, one line of JSON says what was counted.

local size = tonumber(os.getenv("BODY") or "1024")
local before = '{"model":"m","stream":false,"max_tokens":64,"messages":[{"role":"user","content":"'
local after = '"}],"user":"u1"}'
local words = "the quick brown fox jumps over a lazy dog and then \\n goes home; "
local fill = size - #before - #after
local prompt = string.rep(words, math.floor(fill / #words) + 1):sub(1, fill)
-- An escape must not be cut in two.
if prompt:sub(-1) == "\\" then
  prompt = prompt:sub(1, -2) .. "x"
end

wrk.method = "POST"
wrk.body = before .. prompt .. after
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "OpenAI/Python 1.50"
wrk.headers["Accept"] = "application/json"
wrk.headers["Authorization"] = "Bearer sk-1234567890abcdef"
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^:\r\n]+): ([^\r\n]+)") do
  wrk.headers[name] = value
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"errors":%d,"latencyUs":{"p50":%.0f,"p95":%.0f,"p99":%.0f}}\n',
    summary.requests,
    summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50),
    latency:percentile(95),
    latency:percentile(99)
  ))
end
