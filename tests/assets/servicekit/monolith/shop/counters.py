hits = {"limit": 10}
seen = {}
names = set()
queue = []
