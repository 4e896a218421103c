// The simulator's own word, from its admin endpoints: what exists, and events on demand.
const url = `${process.env.SIMULATOR_URL}/_sim`;
const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${process.env.SIMULATOR_ADMIN_KEY}` };

export async function extensions() {
  const { extensions } = await ask('/truth');
  return extensions.map(({ id }) => String(id));
}

export async function calls() {
  const calls = await ask('/truth/calls');
  return calls.map(({ id }) => id);
}

/** Makes `count` events for every subscription, some of them sent twice, and returns their ids. */
export async function trigger(count) {
  const body = JSON.stringify({ count, duplicates: 0.2, reorder: true });
  const { uuids } = await ask('/events', { method: 'POST', body });
  return new Set(uuids);
}

async function ask(path, init) {
  const response = await fetch(url + path, { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}
