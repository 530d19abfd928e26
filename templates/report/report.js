"use strict";
// Tables: filter by words and `column:word`, sort by column, show long ones in part.
const MOST_ROWS = matchMedia("(max-width: 680px)").matches ? 12 : 50;
const tables = new Map();
for (const section of document.querySelectorAll("section[data-table]")) {
  const table = section.querySelector("table.rows");
  const heads = [...table.tHead.rows[0].cells];
  const keys = heads.map(head => head.dataset.key || "");
  const rows = [...table.tBodies[0].rows];
  const words = rows.map(row => row.textContent.toLowerCase());
  const cells = (row, key) => (row.cells[keys.indexOf(key)] || row).textContent.trim().toLowerCase();
  const input = section.querySelector("input[type=search]");
  const output = section.querySelector("output");
  const more = section.querySelector("button.more");
  let all = false;
  const matches = (row, number, tokens) => tokens.every(token => {
    const [key, ...rest] = token.split(":");
    if (rest.length && keys.includes(key)) {
      return cells(row, key).split(/[\s,]+/).includes(rest.join(":"));
    }
    return words[number].includes(token);
  });
  const show = () => {
    const tokens = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, number) => {
      const fits = matches(row, number, tokens);
      found += fits;
      row.hidden = !fits || (!all && found > MOST_ROWS);
    });
    output.textContent = found === rows.length ? `${found} rows` : `${found} of ${rows.length} rows`;
    more.hidden = all || found <= MOST_ROWS;
    more.textContent = `Show all ${found}`;
  };
  input.addEventListener("input", () => { all = false; show(); });
  more.addEventListener("click", () => { all = true; show(); });
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(each => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = row => row.cells[column].dataset.sort || row.cells[column].textContent.trim();
      const order = rows.map((row, number) => [text(row), row, words[number]]);
      order.sort((a, b) => (up ? 1 : -1) * a[0].localeCompare(b[0], "en", { numeric: true }));
      order.forEach(([, row, said], number) => { rows[number] = row; words[number] = said; });
      table.tBodies[0].append(...rows);
      show();
    });
  });
  tables.set(section.id, value => { input.value = value; all = false; show(); });
  show();
}
for (const table of document.querySelectorAll(".cards table")) {
  const heads = [...table.tHead.rows[0].cells].map(head => head.textContent.trim());
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, column) => {
      if (cell.tagName === "TD") cell.dataset.label = heads[column] || "";
    });
  }
}
const filterTable = link => {
  const set = tables.get(link.hash.slice(1));
  if (set) set(link.dataset.filter);
};
document.addEventListener("click", event => {
  const link = event.target.closest("a[data-filter]");
  if (link) filterTable(link);
});
const openTarget = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const closed = target && (target.matches("details") ? target : target.closest("details"));
  if (closed) closed.open = true;
};
addEventListener("hashchange", openTarget);
openTarget();

// The map: what a service is tied to stands out while it has the focus or the pointer.
for (const drawing of document.querySelectorAll("figure.map svg")) {
  const services = [...drawing.querySelectorAll(".service")];
  const links = [...drawing.querySelectorAll(".link")];
  const focus = name => {
    drawing.classList.toggle("focused", Boolean(name));
    const near = new Set([name]);
    for (const link of links) {
      const { source, target } = link.dataset;
      const lit = source === name || target === name;
      link.classList.toggle("lit", lit);
      if (lit) near.add(source).add(target);
    }
    services.forEach(each => each.classList.toggle("lit", near.has(each.dataset.name)));
  };
  for (const service of services) {
    service.addEventListener("pointerenter", () => focus(service.dataset.name));
    service.addEventListener("focus", () => focus(service.dataset.name));
    for (const end of ["pointerleave", "blur"]) service.addEventListener(end, () => focus(""));
  }
}
for (const box of document.querySelectorAll(".legend input")) {
  const apply = () => {
    for (const drawing of document.querySelectorAll("figure.map svg")) {
      drawing.classList.toggle(`no-${box.value}`, !box.checked);
    }
  };
  box.addEventListener("change", apply);
  apply();
}

// The matrix: rows are the open nodes of a tree over one order of modules.
const place = document.getElementById("matrix-grid");
if (place) {
  const data = JSON.parse(document.getElementById("matrix-data").textContent);
  const { nodes, modules, files, dependencies: flat } = data;
  const detail = document.getElementById("matrix-detail");
  const status = document.getElementById("matrix-status");
  const opened = [];
  let at = [0, 0];
  let grid = [];

  const visible = () => {
    const rows = [];
    const add = (number, depth, parent) => {
      const node = nodes[number];
      const open = opened.includes(number);
      rows.push({ number, depth, open, parent });
      if (open) node.children.forEach(child => add(child, depth + 1, number));
    };
    data.roots.forEach(root => add(root, 0, -1));
    return rows;
  };
  const total = (o) => flat[o + 2] + flat[o + 3] + flat[o + 4];
  const sums = closed => {
    const of = new Int32Array(modules.length).fill(-1);
    closed.forEach((row, number) => of.fill(number, nodes[row.number].start, nodes[row.number].end));
    const found = new Map();
    for (let o = 0; o < flat.length; o += 6) {
      const a = of[flat[o]], b = of[flat[o + 1]];
      if (a < 0 || b < 0) continue;
      const key = a * closed.length + b;
      found.set(key, (found.get(key) || 0) + total(o));
    }
    return found;
  };
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const short = count => count < 1000 ? String(count) : `${Math.round(count / 1000)}k`;
  const element = (name, text, settings = {}) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
    return made;
  };
  const draw = () => {
    const rows = visible();
    const closed = rows.filter(row => !row.open);
    const columns = new Map(closed.map((row, number) => [row, number]));
    const found = sums(closed);
    let largest = 1;
    for (const [key, count] of found) {
      if (Math.floor(key / closed.length) !== key % closed.length) largest = Math.max(largest, count);
    }
    const table = element("table", "", { role: "grid", "aria-label": "Dependency structure matrix" });
    const head = table.createTHead().insertRow();
    head.append(element("th", "uses \u2192", { scope: "col" }));
    closed.forEach((row, number) => head.append(element(
      "th", String(number + 1), { scope: "col", title: nodes[row.number].title })));
    const body = table.createTBody();
    grid = [];
    for (const row of rows) {
      const node = nodes[row.number];
      const line = body.insertRow();
      const name = element("th", "", { scope: "row" });
      const mark = node.children && node.children.length ? (row.open ? "\u25be " : "\u25b8 ") : "";
      const number = columns.has(row) ? `${columns.get(row) + 1} ` : "";
      const button = element("button", `${number}${mark}${node.label}`, {
        type: "button", tabindex: -1, title: `${node.title}, ${counted(node.end - node.start, "module")}` });
      button.style.paddingLeft = `${8 + row.depth * 14}px`;
      if (mark) {
        button.setAttribute("aria-expanded", String(row.open));
        button.addEventListener("click", () => toggle(row.number));
      }
      name.append(button);
      line.append(name);
      const stops = [button];
      if (row.open) {
        line.className = "opened";
        line.append(element("td", "", { colspan: closed.length }));
      } else {
        const own = columns.get(row);
        closed.forEach((other, column) => {
          const cell = line.insertCell();
          const count = found.get(own * closed.length + column);
          cell.tabIndex = -1;
          stops.push(cell);
          if (own === column) cell.className = "own";
          if (!count) return;
          cell.textContent = short(count);
          if (own === column) return;
          const back = found.get(column * closed.length + own);
          cell.className = back ? "some cycle" : "some";
          const strength = 0.12 + 0.43 * Math.log1p(count) / Math.log1p(largest);
          cell.style.background = `rgb(var(--${back ? "cycle" : "heat"}) / ${strength.toFixed(2)})`;
          cell.title = `${node.title} uses ${nodes[other.number].title}: ${counted(count, "place")}`
            + (back ? `, and ${back} the other way` : "");
          cell.addEventListener("click", () => explain(row.number, other.number, cell));
        });
      }
      grid.push(stops);
    }
    place.replaceChildren(table);
    at = [Math.min(at[0], grid.length - 1), Math.min(at[1], grid[0].length - 1)];
    stop(at[0], at[1], false);
    status.textContent = `${closed.length} rows open`;
    return rows;
  };
  const stop = (row, column, focus) => {
    const line = grid[Math.max(0, Math.min(row, grid.length - 1))];
    const next = line[Math.max(0, Math.min(column, line.length - 1))];
    for (const each of place.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
    at = [grid.indexOf(line), line.indexOf(next)];
    next.tabIndex = 0;
    if (focus) next.focus();
  };
  const toggle = number => {
    const where = opened.indexOf(number);
    if (where >= 0) {
      opened.splice(where, 1);
    } else {
      opened.push(number);
      while (visible().length > data.most_rows && opened.length > 1) opened.shift();
    }
    const rows = draw();
    const row = rows.findIndex(each => each.number === number);
    stop(Math.max(row, 0), 0, true);
  };
  const explain = (from, to, cell) => {
    const a = nodes[from], b = nodes[to];
    const inside = (node, leaf) => leaf >= node.start && leaf < node.end;
    const pairs = [];
    const kinds = [0, 0, 0];
    for (let o = 0; o < flat.length; o += 6) {
      if (!inside(a, flat[o]) || !inside(b, flat[o + 1])) continue;
      pairs.push(o);
      kinds.forEach((_, kind) => { kinds[kind] += flat[o + 2 + kind]; });
    }
    pairs.sort((x, y) => total(y) - total(x) || x - y);
    const title = element("p");
    title.append(element("b", `${a.title} uses ${b.title}`),
      `: ${counted(kinds[0], "import")}, ${counted(kinds[1], "call")}, ${counted(kinds[2], "inheritance")}`);
    const list = element("ul");
    for (const o of pairs.slice(0, 12)) {
      const item = element("li");
      item.append(element("code", modules[flat[o]]), " uses ", element("code", modules[flat[o + 1]]),
        `, ${counted(total(o), "place")}, such as `, element("code", `${files[flat[o]]}:${flat[o + 5]}`));
      list.append(item);
    }
    if (pairs.length > 12) list.append(element("li", `and ${counted(pairs.length - 12, "more pair")} of modules`));
    detail.replaceChildren(title, list);
    if (a.service && b.service) {
      const link = element("a", "What crosses there in the plan", {
        href: "#crossings", "data-filter": `from:${a.label} to:${b.label}` });
      const said = element("p");
      said.append(link);
      detail.append(said);
    }
    for (const each of place.querySelectorAll("[aria-selected]")) each.removeAttribute("aria-selected");
    cell.setAttribute("aria-selected", "true");
  };
  place.addEventListener("keydown", event => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const move = moves[event.key];
    if (move) stop(at[0] + move[0], at[1] + move[1], true);
    else if (event.key === "Home") stop(at[0], 0, true);
    else if (event.key === "End") stop(at[0], 1e6, true);
    else if ((event.key === "Enter" || event.key === " ") && event.target.tagName === "TD") event.target.click();
    else return;
    event.preventDefault();
  });
  place.addEventListener("focusin", event => {
    const cell = event.target.closest("td,button");
    const row = grid.findIndex(line => line.includes(cell));
    if (row >= 0 && (row !== at[0] || grid[row].indexOf(cell) !== at[1])) stop(row, grid[row].indexOf(cell), false);
  });
  document.getElementById("matrix-close").addEventListener("click", () => { opened.length = 0; draw(); });
  draw();
}
