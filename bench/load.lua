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

-- Writes the pieces of a charge from a place on, and says which is next. All charges are of one
-- length. Pieces, since each text that Lua makes costs as much as the charge itself is to cost.
local function charge(pieces, place, credits)
  pieces[place], pieces[place + 1], pieces[place + 2] = '{"account_uid":"', uid(), credits
  place = key(pieces, place + 3)
  pieces[place] = '","resource":"kernel-0001","resource_type":"kernel"}'
  return place + 1
end

local function written(credits) return '","credits":' .. credits .. ',"key":"' end

local function length_of(credits)
  local pieces = {}
  charge(pieces, 1, written(credits))
  return #table.concat(pieces)
end

function kinds.charges(it)
  local pieces, credits = {}, written(it.credits)
  pieces[1] = head("POST", CHARGES, it.token, length_of(it.credits))
  return function()
    charge(pieces, 2, credits)
    return table.concat(pieces)
  end
end

function kinds.batches(it)
  local length = it.batch * (length_of(it.credits) + 1) + #'{"charges":[]}' - 1
  local pieces, credits = {}, written(it.credits)
  pieces[1] = head("POST", CHARGES .. "/batch", it.token, length) .. '{"charges":['
  return function()
    local place = 2
    for number = 1, it.batch do
      place = charge(pieces, place, credits)
      pieces[place] = number < it.batch and "," or "]}"
      place = place + 1
    end
    return table.concat(pieces)
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
  local seed, made, random, floor = tonumber(args[2]), 0, math.random, math.floor
  math.randomseed(seed)
  local uids, digits = {}, {}
  for number = 0, it.accounts - 1 do uids[number] = string.format("user-%05d", number) end
  for number = 0, 65535 do digits[number] = string.format("%04x", number) end
  uid = function() return uids[random(0, it.accounts - 1)] end
  -- Random at its start, as a uuid is, so that an index finds no order in keys; and never twice.
  local whose = string.format("%08x", seed)
  key = function(pieces, place)
    made = made + 1
    for at = place, place + 3 do pieces[at] = digits[random(0, 65535)] end
    pieces[place + 4], pieces[place + 5] = whose, digits[floor(made / 65536)]
    pieces[place + 6] = digits[made % 65536]
    return place + 7
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
