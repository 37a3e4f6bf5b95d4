-- What wrk asks, and what a right answer is. Arguments: "post", or "get", the path up to the id, and how many tasks
-- there are. A thread looks at each answer; that it is the one to its question is checked beside the load.

local threads = {}

function setup(thread)
  thread:set("offset", #threads * 311)
  table.insert(threads, thread)
end

local requests = {}
local is_post = false
local asked

function init(args)
  right, wrong, example = 0, 0, ""
  asked = offset
  is_post = args[1] == "post"
  if is_post then
    local headers = { ["Content-Type"] = "application/json" }
    requests[1] = wrk.format("POST", "/tasks", headers, '{"title":"water the plants"}')
  else
    for id = 1, tonumber(args[3]) do
      requests[id] = wrk.format("GET", args[2] .. id)
    end
  end
end

function request()
  asked = asked + 619
  return requests[asked % #requests + 1]
end

local function is_right(status, body)
  if is_post then
    return status == 201 and body:find('^{"id":%d+,"title":"water the plants",') ~= nil
  end
  local id, title = body:match('^{"id":(%d+),"title":"task (%d+)",')
  return status == 200 and id ~= nil and id == title
end

function response(status, headers, body)
  if is_right(status, body) then
    right = right + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body:sub(1, 200)
  end
end

function done(summary, latency)
  local all_right, all_wrong, shown = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_right = all_right + thread:get("right")
    all_wrong = all_wrong + thread:get("wrong")
    if thread:get("example") ~= "" then shown = thread:get("example") end
  end
  local errors = summary.errors
  print(string.format(
    'figures {"right":%d,"wrong":%d,"failed":%d,"microseconds":%d,"p50":%f,"p99":%f}',
    all_right, all_wrong, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration, latency:percentile(50), latency:percentile(99)
  ))
  if shown ~= "" then print("example " .. shown) end
end
