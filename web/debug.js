// The diagnostics page: health and the main figures, asked for once a second.

/** Flattens {a: {b: 1}} to [["a.b", 1]]. */
export function flatten(object, prefix = '') {
  return Object.entries(object).flatMap(([name, value]) =>
    value !== null && typeof value === 'object'
      ? flatten(value, `${prefix}${name}.`)
      : [[prefix + name, value]]);
}

function show(rows) {
  const body = document.getElementById('figures');
  body.replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement('tr');
    const shown = typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
    for (const [tag, text] of [['th', name], ['td', shown]]) {
      const cell = document.createElement(tag);
      cell.textContent = String(text);
      row.append(cell);
    }
    return row;
  }));
}

async function refresh() {
  const health = document.getElementById('health');
  try {
    const [status, state] = await Promise.all(
      ['/api/status', '/api/health'].map(async (path) => (await fetch(path)).json()));
    health.textContent = `The server is ${state.status}.`;
    show(flatten(status));
  } catch {
    health.textContent = 'The server does not answer.';
  }
}

if (typeof document !== 'undefined') {
  refresh();
  setInterval(refresh, 1000);
}
