from servicekit.state import RequestDict, SharedDict, SharedList, SharedSet

hits = SharedDict("shop.counters.hits", {"limit": 10})
seen = RequestDict("shop.counters.seen")
names = SharedSet("shop.counters.names")
queue = SharedList("shop.counters.queue")
