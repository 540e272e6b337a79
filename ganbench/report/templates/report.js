"use strict";
// Everything is on the page before this runs: it sorts, filters, hides and shows, and says nothing that is not there.
(() => {
  const one = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const block = one("#data");
  const data = block ? JSON.parse(block.textContent) : null;

  // A link to a run opens it.
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // --- what a model drew while it learnt, one frame at a time in one place
  all(".scrubber").forEach((each) => {
    const range = one("input", each), said = one("output", each), frames = all("figure", each);
    const show = () => {
      frames.forEach((frame, at) => frame.classList.toggle("shown", at === Number(range.value)));
      said.value = one(".shown figcaption", each).textContent;
      range.setAttribute("aria-valuetext", said.value);
    };
    // the other frames are loaded when somebody is about to flip through them
    const load = () => all("img", each).forEach((image) => { image.loading = "eager"; });
    ["focus", "pointerenter", "input"].forEach((type) => range.addEventListener(type, load, { once: true }));
    range.addEventListener("input", show);
    show();  // a browser may have kept the range where it was before the page was loaded anew
  });
  if (!data) return;

  // --- a model that is pointed at lights up wherever it is shown
  let lit = null;
  const light = (index) => {
    if (index === lit) return;
    lit = index;
    all(".lit").forEach((each) => each.classList.remove("lit"));
    if (index !== null) all(`[data-m="${index}"]`).forEach((each) => each.classList.add("lit"));
    all(".chart").forEach((chart) => chart.classList.toggle("focus", index !== null && one(".lit", chart) !== null));
  };
  for (const [enter, leave] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    document.addEventListener(enter, (event) => {
      const found = event.target.closest?.("[data-m]");
      if (found) light(found.dataset.m);
    });
    document.addEventListener(leave, (event) => { if (event.target.closest?.("[data-m]")) light(null); });
  }

  // --- curves: a name hides or shows its model; a line has a wide, unseen one over it to point at, and
  // dots where it was measured: made here, since 45 models would have them in the page twice over
  all("#curves .chart .line").forEach((line) => {
    const wide = line.cloneNode();
    wide.setAttribute("class", "hit");
    const dots = line.cloneNode();
    dots.setAttribute("class", "dots");
    dots.setAttribute("d", line.getAttribute("d").replace(/[ML]([^ML]+)/g, "M$1h0"));
    line.after(dots, wide);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = `${data.names[line.parentElement.dataset.m]}: ${data.values[line.parentElement.dataset.m]}`;
    line.parentElement.prepend(title);
  });
  all("#curves .legend button").forEach((button) => { button.disabled = false; });
  all("#curves .legend button").forEach((button) => button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    all(`#curves .chart [data-m="${button.closest("li").dataset.m}"]`).forEach((each) => each.classList.toggle("off", !shown));
  }));
  all("#cost-choice button").forEach((button) => button.addEventListener("click", () => {
    all("#cost-choice button").forEach((each) => each.setAttribute("aria-pressed", each === button));
    all("#costs figure").forEach((figure) => {
      figure.classList.toggle("other", figure.dataset.cost !== button.dataset.cost);
    });
  }));

  // --- the table
  const table = one("#ranks"), body = table.tBodies[0], rows = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  const first = headings.findIndex((each) => each.dataset.kind === "number");
  const sortBy = (at) => {
    const heading = headings[at], kind = heading.dataset.kind, was = heading.getAttribute("aria-sort");
    const start = kind === "number" && heading.dataset.better === "higher" ? "descending" : "ascending";
    const order = was === null ? start : was === "ascending" ? "descending" : "ascending";
    headings.forEach((each) => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const key = (row) => kind === "order" ? Number(row.dataset.m) : kind === "text" ? row.cells[at].textContent
      : row.cells[at].dataset.v === undefined ? null : Number(row.cells[at].dataset.v);
    rows.sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === null || y === null) return (x === null) - (y === null);  // what has no value stands last, always
      return sign * (kind === "text" ? x.localeCompare(y) : x - y) || a.dataset.m - b.dataset.m;
    });
    body.append(...rows);
  };
  headings.forEach((heading, at) => {
    if (heading.dataset.kind === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => sortBy(at));
  });

  const text = one("#text"), count = one("#count");
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    const families = new Set(all("[name=family]:checked").map((each) => each.value));
    let shown = 0;
    rows.forEach((row) => {
      const model = row.dataset.role === "model";
      const fits = row.cells[1].textContent.toLowerCase().includes(wanted) && (!model || families.has(row.dataset.family));
      shown += fits && model;
      all(`#ranks [data-m="${row.dataset.m}"], #curves [data-m="${row.dataset.m}"], #costs [data-m="${row.dataset.m}"], #samples [data-m="${row.dataset.m}"]`)
        .forEach((each) => each.classList.toggle("out", !fits));
    });
    const models = rows.filter((row) => row.dataset.role === "model").length;
    const called = models === 1 ? "model" : "models";
    count.value = shown === models ? `${models} ${called}` : `${shown} of ${models} ${called}`;
  };
  text.addEventListener("input", filter);
  all("[name=family]").forEach((each) => each.addEventListener("change", filter));
  all("form").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  filter();

  const showColumn = (box) => {
    const at = first + Number(box.value);
    [headings[at], ...rows.map((row) => row.cells[at])].forEach((cell) => cell.classList.toggle("gone", !box.checked));
  };
  all("[name=column]").forEach((box) => { showColumn(box); box.addEventListener("change", () => showColumn(box)); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hideTip();
    const open = one(".chooser[open]");
    if (open) { open.open = false; one("summary", open).focus(); }
  });

  // --- a value tells its interval and its seeds; one cell is in the tab order, and arrow keys move
  const tip = one("#tip");
  const explain = (cell) => {
    const row = cell.parentElement, at = cell.cellIndex - first;
    const more = data.more[row.dataset.m][at];
    if (more === undefined) return hideTip();
    const [ends, ...seeds] = more.split(";");
    const interval = ends.replace(",", " to ");
    const lines = [`${row.cells[1].textContent}: ${headings[cell.cellIndex].textContent} ${cell.firstChild.textContent.trim()}`];
    if (interval) lines.push(seeds.length > 1 ? `95 % interval ${interval}` : `${interval}, from the scored images alone`);
    seeds.forEach((seed, index) => lines.push(`seed ${seed.includes(" ") ? seed.replace(" ", ": ") : `${index}: ${seed}`}`));
    tip.textContent = lines.join("\n");
    tip.hidden = false;
    cell.setAttribute("aria-describedby", "tip");
    const box = cell.getBoundingClientRect(), own = tip.getBoundingClientRect();
    const below = box.bottom + 6 + own.height < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - own.width - 8))}px`;
    tip.style.top = `${below ? box.bottom + 6 : box.top - own.height - 6}px`;
  };
  const hideTip = () => {
    tip.hidden = true;
    all("[aria-describedby=tip]").forEach((each) => each.removeAttribute("aria-describedby"));
  };
  const cells = all("td[data-v]", body);
  cells.forEach((cell) => { cell.tabIndex = -1; });
  if (cells.length) cells[0].tabIndex = 0;
  body.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td[data-v]");
    if (cell) explain(cell); else hideTip();
  });
  body.addEventListener("pointerleave", hideTip);
  body.addEventListener("focusin", (event) => {
    const cell = event.target.closest("td[data-v]");
    if (!cell) return;
    cells.forEach((each) => { each.tabIndex = -1; });
    cell.tabIndex = 0;
    explain(cell);
  });
  body.addEventListener("focusout", hideTip);
  one(".main-table").addEventListener("scroll", hideTip);
  body.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td[data-v]");
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    const usable = (each) => each && each.dataset.v !== undefined && each.offsetParent !== null;
    let next = cell;
    do {
      const sibling = step[1] > 0 ? next.parentElement.nextElementSibling : next.parentElement.previousElementSibling;
      next = step[0] > 0 ? next.nextElementSibling : step[0] < 0 ? next.previousElementSibling
        : sibling && sibling.cells[cell.cellIndex];
    } while (next && !usable(next));
    if (next) next.focus();
  });

  // --- two models beside each other, or one over the other
  const left = one("#left"), right = one("#right"), two = one("#two"), flip = one("#flip");
  if (!left) return;
  right.append(...[...left.options].map((each) => each.cloneNode(true)));
  right.value = right.dataset.value;
  const spelt = (percentage) => percentage === "100" ? "more than 99.9 %" : `${percentage} %`;
  const say = (i, j) => {
    const [low, high] = i < j ? [i, j] : [j, i];
    const [a, b] = [data.paired.indexOf(low), data.paired.indexOf(high)];
    if (a < 0 || b < 0) return ["Not known", `${data.names[i]} and ${data.names[j]} are compared by their seeds: that takes two of each.`];
    // pairs stand in the order (0, 1), (0, 2), ... (1, 2), ...
    const pair = data.pairs[a * data.paired.length - a * (a + 1) / 2 + b - a - 1];
    const [firstIsBetter, sure, next, ...rest] = pair.split(" ");
    const [apart, seeds] = rest.slice(-2);
    const effect = rest.reduce((text, number) => text.replace("{}", number), data.effect);
    const [better, other] = firstIsBetter === "1" ? [data.names[low], data.names[high]] : [data.names[high], data.names[low]];
    const head = apart === "1" ? `${better} is better` : `These seeds do not tell them apart${seeds !== "0" ? `; ${seeds} seeds of each might` : ""}`;
    return [head, `With probability ${spelt(sure)}, ${better} is better on average than ${other}: ${effect}. ` +
      `The next seed of ${better} beats the next of ${other} with probability ${spelt(next)}.`];
  };
  const fill = (side, index) => {
    const figure = one(`#${side}-figure`), source = one(`#grid-${index} img`);
    one("strong", figure).textContent = data.names[index];
    one("figcaption span", figure).textContent = `${one("#ranks [data-key]").textContent.replace(/ [↓↑].*$/, "")} ${data.values[index]}`;
    all("img, .nothing", figure).forEach((each) => each.remove());
    if (source) {
      const image = source.cloneNode();
      image.loading = "eager";
      figure.append(image);
    } else {
      const none = document.createElement("p");
      none.className = "soft nothing";
      none.textContent = "No picture of its samples is at hand.";
      figure.append(none);
    }
  };
  const choose = () => {
    const i = Number(left.value), j = Number(right.value);
    fill("left", i);
    fill("right", j);
    const [head, said] = i === j ? ["The same model", "Choose another to compare it with."] : say(i, j);
    one("#verdict-head").textContent = head;
    one("#verdict-said").textContent = said;
  };
  left.addEventListener("change", choose);
  right.addEventListener("change", choose);
  flip.addEventListener("click", () => {
    const back = one("#right-figure");
    if (!two.classList.contains("flipped")) {
      two.classList.add("flipped");
      back.classList.add("back");
      flip.setAttribute("aria-pressed", "true");
      flip.textContent = "Flip";
      beside.hidden = false;
    } else {
      all("figure", two).forEach((each) => each.classList.toggle("back"));
    }
  });
  const beside = document.createElement("button");
  beside.type = "button";
  beside.id = "beside";
  beside.textContent = "Side by side";
  beside.hidden = true;
  flip.after(beside);
  beside.addEventListener("click", () => {
    two.classList.remove("flipped");
    all("figure", two).forEach((each) => each.classList.remove("back"));
    flip.setAttribute("aria-pressed", "false");
    flip.textContent = "Flip in one place";
    beside.hidden = true;
    flip.focus();
  });
})();
