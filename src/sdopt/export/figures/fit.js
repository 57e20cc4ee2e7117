/* Gives a figure the width of its place. Panels go below each other where they do not fit beside each other; on a
   phone names take three short lines. Names stay text: they are only cut into lines. */
function fitFigure(spec, width) {
  const fitted = JSON.parse(JSON.stringify(spec));
  const columns = Math.max(1, Math.min(3, Math.floor(width / 230)));
  fitted.config = { legend: { columns: columns, labelLimit: Math.max(150, width / columns - 50) } };
  if (fitted.facet && fitted.columns) {
    fitted.columns = Math.max(1, Math.min(fitted.columns, Math.floor(width / 260)));
    fitted.spec.width = Math.max(150, Math.floor(width / fitted.columns) - 74);
  } else if (width < 560) {
    narrowRows(fitted, width);
  }
  return fitted;
}

function narrowRows(spec, width) {
  const names = new Map();
  spec.layer = spec.layer.filter((layer) => !(layer.name || "").startsWith("wide"));
  const sets = [spec, ...spec.layer].map((one) => one.data && one.data.values).filter(Boolean);
  for (const row of sets.flat()) if (typeof row.label === "string") names.set(row.label, "");
  for (const name of names.keys()) names.set(name, inLines(name, 17, 3).join("\n"));
  if (names.size) spec.config.legend = { columns: 1, labelFontSize: 10, labelLimit: Math.max(120, width - 150) };
  if (names.size) spec.height = Math.max(spec.height, 38 * names.size); // three lines each
  const apart = new Set(names.values()).size === names.size;
  if (apart) for (const row of sets.flat()) if (names.has(row.label)) row.label = names.get(row.label);
  const letters = Math.max(16, Math.floor((width - (names.size ? 130 : 60)) / 6.4));
  for (const layer of spec.layer) {
    const { x, y } = layer.encoding || {};
    if (apart && y && y.field === "label") y.scale.domain = y.scale.domain.map((name) => names.get(name) || name);
    if (x && x.axis && Array.isArray(x.axis.title)) x.axis.title = inLines(x.axis.title.join(" "), letters, 4);
  }
}

function inLines(text, letters, most) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines[lines.length - 1];
    if (!line) lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= letters) lines[lines.length - 1] = line + " " + word;
    else lines.push(word);
  }
  const kept = lines.slice(0, most).map((line) => (line.length > letters + 5 ? line.slice(0, letters + 4) + "…" : line));
  if (lines.length > most) kept[most - 1] += " …";
  return kept;
}
