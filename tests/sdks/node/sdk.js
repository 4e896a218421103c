// A day of an integration in RingCentral's own JavaScript SDK: log in, read, subscribe, receive, refresh, log out.
import assert from 'node:assert/strict';

import { SDK } from '@ringcentral/sdk';

import { Receiver } from './receiver.js';
import * as simulator from './simulator.js';
import { same, step } from './story.js';

const { SDK_SERVER_URL: server, SDK_CLIENT_ID: clientId, SDK_CLIENT_SECRET: clientSecret, SDK_JWT: jwt } = process.env;
const verificationToken = "the story's own secret";
const events = 25;

// The SDK waits by itself as long as RingCentral asks for when there were too many calls.
const platform = new SDK({ server, clientId, clientSecret, handleRateLimit: true }).platform();

step('logs in by JWT');
// To refresh, the SDK asks for the lifetime its token was given; RingCentral refuses one under 600 s, and a fast clock shortens it.
await platform.login({ jwt, access_token_ttl: 3600 });
assert.ok(await platform.auth().accessTokenValid());

step('lists the extensions');
same(await everyRecord('/restapi/v1.0/account/~/extension', { perPage: 100 }), await simulator.extensions());

step('pages through the call log to its end');
const month = new Date(Date.now() - 31 * 24 * 3600 * 1000).toISOString();
same(await everyRecord('/restapi/v1.0/account/~/call-log', { dateFrom: month, perPage: 250 }), await simulator.calls());

step('subscribes a webhook');
const receiver = await Receiver.open();
const created = await platform.post('/restapi/v1.0/subscription', {
  eventFilters: ['/restapi/v1.0/account/~/telephony/sessions'],
  deliveryMode: { transportType: 'WebHook', address: receiver.address, verificationToken },
});
const subscription = await created.json();
assert.equal(subscription.status, 'Active');
assert.equal(receiver.handshakes, 1);

step('receives every event');
const made = await simulator.trigger(events);
for (const { verification, event } of await receiver.waitFor(events)) {
  assert.ok(made.has(event.uuid));
  assert.equal(verification, verificationToken);
  assert.equal(event.subscriptionId, subscription.id);
}
await platform.delete(`/restapi/v1.0/subscription/${subscription.id}`);
receiver.close();

step('renews its session');
const before = await platform.auth().data();
if (await platform.auth().refreshTokenValid()) {
  await platform.refresh();
  await refusedWith(before);
} else {
  await platform.login({ jwt });
}
assert.notEqual((await platform.auth().data()).access_token, before.access_token);
await platform.get('/restapi/v1.0/account/~');

step('logs out');
const last = await platform.auth().data();
await platform.logout();
assert.ok(!(await platform.auth().accessTokenValid()));

step('is refused afterwards');
await refusedWith(last);

/** All records, page by page for as long as a next one is named. */
async function everyRecord(path, query) {
  let page = await (await platform.get(path, query)).json();
  const records = page.records;
  while (page.navigation.nextPage) {
    const { uri } = page.navigation.nextPage;
    assert.ok(uri.startsWith(`${server}/`), uri);
    page = await (await platform.get(uri)).json();
    records.push(...page.records);
  }
  return records;
}

/** A call with these tokens, held by the SDK as if they were good, gets a 401. */
async function refusedWith(tokens) {
  const now = await platform.auth().data();
  await platform.auth().setData(tokens);
  // `retry` says that this is the second attempt: the SDK would answer the first 401 with a refresh.
  const call = platform.get('/restapi/v1.0/account/~', undefined, { retry: true });
  await assert.rejects(call, (error) => error.response?.status === 401);
  await platform.auth().setData(now);
}
