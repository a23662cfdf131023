-- What wrk asks. Everything of a request that doesn't change is made once, so that wrk costs
-- little beside what it measures. Arguments: kind, seed, token, accounts, batch, credits, lines.

local CHARGES = "/api/iam/v1/usage/charges"
local kinds = {}
local uid, key

local function head(method, path, token, length)
  return method .. " " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    .. "Authorization: Bearer " .. token .. "\r\n"
    .. "Content-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
end

-- A charge, whose text is always of the same length.
local function charge(credits)
  return string.format(
    '{"account_uid":"%s","credits":%s,"key":"%s","resource":"kernel-0001","resource_type":"kernel"}',
    uid(), credits, key()
  )
end

function kinds.charges(it)
  local start = head("POST", CHARGES, it.token, #charge(it.credits))
  return function() return start .. charge(it.credits) end
end

function kinds.batches(it)
  local length = it.batch * (#charge(it.credits) + 1) + #'{"charges":[]}' - 1
  local start = head("POST", CHARGES .. "/batch", it.token, length) .. '{"charges":['
  local made = {}
  return function()
    for number = 1, it.batch do made[number] = charge(it.credits) end
    return start .. table.concat(made, ",") .. "]}"
  end
end

-- Each line is a length in eight digits and so many bytes of a request, ready to be sent.
function kinds.webhooks(it)
  local file = assert(io.open(it.lines, "rb"))
  return function()
    local length = file:read(8)
    return length and file:read(tonumber(length)) or head("GET", "/used-up", it.token, 0)
  end
end

function kinds.reads(it)
  return function() return head("GET", "/api/iam/v1/usage/credits?account_uid=" .. uid(), it.token, 0) end
end

function kinds.empty(it)
  local whole = head("GET", "/", it.token, 0)
  return function() return whole end
end

function init(args)
  local it = {
    token = args[3], accounts = tonumber(args[4]), batch = tonumber(args[5]),
    credits = args[6], lines = args[7],
  }
  local seed, made, random = tonumber(args[2]), 0, math.random
  math.randomseed(seed)
  uid = function() return string.format("user-%05d", random(0, it.accounts - 1)) end
  -- Random at its start, as a uuid is, so that an index finds no order in keys; and never twice.
  key = function()
    made = made + 1
    return string.format("%08x%08x%08x%08x", random(0, 2147483647), random(0, 2147483647), seed, made)
  end
  request = kinds[args[1]](it)
end

function done(summary, latency)
  local lost = summary.errors
  io.write(string.format(
    'bench {"answered":%d,"refused":%d,"broken":%d,"microseconds":%d,"p50":%d,"p99":%d}\n',
    summary.requests, lost.status, lost.connect + lost.read + lost.write + lost.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)
  ))
end
