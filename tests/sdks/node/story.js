// What every story says and holds against the simulator.
import assert from 'node:assert/strict';

export function step(title) {
  console.log(`    ${title}`);
}

/** Every expected record, and none twice. */
export function same(records, expected) {
  const found = records.map(({ id }) => String(id));
  assert.equal(new Set(found).size, found.length, 'a record came twice');
  assert.deepEqual([...found].sort(), [...expected].sort());
}
