-- Requests for wrk that differ from one another in path, query, cookie and header values.
-- Arguments: the kind (hello, browser, close, or post) and, for post, the body's size in bytes.

local prepared = {}
local at = 0

local function token(seed)
  return string.format("%08x%08x%08x", seed * 2654435761 % 4294967296, seed * 40503 % 65536, seed * 7919)
end

local function browser(host, i)
  return {
    "Host: " .. host,
    "Connection: keep-alive",
    "sec-ch-ua: \"Chromium\";v=\"" .. 100 + i % 40 .. "\", \"Not.A/Brand\";v=\"24\"",
    "sec-ch-ua-mobile: ?0",
    "sec-ch-ua-platform: \"Linux\"",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/"
      .. 100 + i % 40 .. ".0." .. i .. ".0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Dest: document",
    "Referer: http://" .. host .. "/from/" .. i,
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0." .. i % 9,
    "Cookie: session=" .. token(i) .. "; csrftoken=" .. token(i + 77777) .. "; theme=dark",
  }
end

local function headers(kind, host, i)
  if kind == "browser" then
    return browser(host, i)
  end
  local list = { "Host: " .. host }
  if kind == "close" then
    list[#list + 1] = "Connection: close"
    list[#list + 1] = "Cookie: session=" .. token(i)
  end
  return list
end

local function build(kind, size, host, i)
  local list = headers(kind, host, i)
  local method, body = "GET", ""
  if kind == "post" then
    method = "POST"
    body = (token(i) .. string.rep("x", size)):sub(1, size)
    list[#list + 1] = "Content-Type: application/octet-stream"
    list[#list + 1] = "Content-Length: " .. size
  end
  local target = string.format("/items/%d/page-%s?q=%s", i, token(i):sub(1, 6), token(i + 31):sub(1, 9))
  return method .. " " .. target .. " HTTP/1.1\r\n" .. table.concat(list, "\r\n") .. "\r\n\r\n" .. body
end

function init(args)
  local kind, size = args[1], tonumber(args[2] or "0")
  local host = wrk.host .. ":" .. wrk.port
  local count = size > 65536 and 32 or 8192
  for i = 1, count do
    prepared[i] = build(kind, size, host, i)
  end
end

function request()
  at = at % #prepared + 1
  return prepared[at]
end
