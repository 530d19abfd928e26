CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  member_id INTEGER,
  total INTEGER,
  weight FLOAT,
  label BLOB
);
CREATE TABLE order_tags (
  order_id INTEGER,
  tag VARCHAR(20)
);
CREATE TABLE stickers (
  id INTEGER PRIMARY KEY,
  note_id INTEGER
);
