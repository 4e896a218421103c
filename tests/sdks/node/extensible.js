// A day of an integration in RingCentral's extensible JavaScript SDK: log in, read, subscribe, receive, refresh, log out.
import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

import RingCentral from '@rc-ex/core';

import { Receiver } from './receiver.js';
import * as simulator from './simulator.js';
import { same, step } from './story.js';

const { SDK_SERVER_URL: server, SDK_CLIENT_ID: clientId, SDK_CLIENT_SECRET: clientSecret, SDK_JWT: jwt } = process.env;
const verificationToken = "the story's own secret";
const events = 25;

const rc = new RingCentral({ server, clientId, clientSecret });
const account = rc.restapi().account();

step('logs in by JWT');
await patiently(() => rc.authorize({ jwt }));
assert.ok(rc.token.access_token);

step('lists the extensions');
same(await everyRecord((query) => account.extension().list(query), { perPage: 100 }), await simulator.extensions());

step('pages through the call log to its end');
const month = new Date(Date.now() - 31 * 24 * 3600 * 1000).toISOString();
same(await everyRecord((query) => account.callLog().list(query), { dateFrom: month, perPage: 250 }), await simulator.calls());

step('subscribes a webhook');
const receiver = await Receiver.open();
const subscription = await patiently(() =>
  rc.restapi().subscription().post({
    eventFilters: ['/restapi/v1.0/account/~/telephony/sessions'],
    deliveryMode: { transportType: 'WebHook', address: receiver.address, verificationToken },
  }),
);
assert.equal(subscription.status, 'Active');
assert.equal(receiver.handshakes, 1);

step('receives every event');
const made = await simulator.trigger(events);
for (const { verification, event } of await receiver.waitFor(events)) {
  assert.ok(made.has(event.uuid));
  assert.equal(verification, verificationToken);
  assert.equal(event.subscriptionId, subscription.id);
}
await patiently(() => rc.restapi().subscription(subscription.id).delete());
receiver.close();

step('renews its session');
const before = rc.token;
if (before.refresh_token) {
  await patiently(() => rc.refresh());
  await refusedWith(before);
} else {
  await patiently(() => rc.authorize({ jwt }));
}
assert.notEqual(rc.token.access_token, before.access_token);
await patiently(() => account.get());

step('logs out');
const last = rc.token;
await patiently(() => rc.revoke());
assert.equal(rc.token, undefined);

step('is refused afterwards');
await refusedWith(last);

/** All records: the first page by the SDK's typed call, the others for as long as a next one is named. */
async function everyRecord(list, query) {
  let page = await patiently(() => list(query));
  const records = page.records;
  while (page.navigation.nextPage) {
    const { uri } = page.navigation.nextPage;
    assert.ok(uri.startsWith(`${server}/`), uri);
    page = (await patiently(() => rc.get(uri))).data;
    records.push(...page.records);
  }
  return records;
}

/** A call with these tokens gets a 401. */
async function refusedWith(tokens) {
  const now = rc.token;
  rc.token = tokens;
  await assert.rejects(patiently(() => account.get()), (error) => error.response?.status === 401);
  rc.token = now;
}

/** Does a call, and waits as long as RingCentral asks for when there were too many. */
async function patiently(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.response?.status !== 429) throw error;
      await setTimeout(Number(error.response.headers['retry-after']) * 1000);
    }
  }
}
