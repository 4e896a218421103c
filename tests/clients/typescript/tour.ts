// The README's tour through a client that `@hey-api/openapi-ts` generated. The compiler holds it against the types that the
// description gives; what an answer lacks of them shows when it runs.

import { client } from "./client/client.gen";
import * as trunkline from "./client/sdk.gen";

const simulated = new URL(process.env.SIMULATOR ?? "");

client.setConfig({ baseUrl: process.env.API, auth: () => process.env.TOKEN });

function step(told: string) {
  console.log(`ok  ${told}`);
}

function demand(holds: unknown, told: unknown): asserts holds {
  if (!holds) throw new Error(typeof told === "string" ? told : JSON.stringify(told));
}

type Answered<T> = { data?: T; error?: unknown; response?: Response };

/** The body of an answer with the status that was expected. */
function answered<T>(answer: Answered<T>, status: number): NonNullable<T> {
  demand(answer.response?.status === status, [answer.response?.status, answer.error ?? answer.data]);
  demand(answer.data, "the answer has no body");
  return answer.data;
}

/** The problem of an answer with the status that was expected. */
function refused(answer: Answered<unknown>, status: number): Record<string, unknown> {
  demand(answer.response?.status === status, [answer.response?.status, answer.error ?? answer.data]);
  const problem = answer.error as Record<string, unknown>;
  demand(String(problem?.type).startsWith("urn:trunkline:problem:"), problem);
  return problem;
}

/** The levers of the simulated RingCentral. */
async function simulator(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (simulated.password) headers.Authorization = `Basic ${btoa(`${simulated.username}:${simulated.password}`)}`;
  const method = body === undefined ? "GET" : "POST";
  const answer = await fetch(`${simulated.origin}/_sim/${path}`, { method, headers, body: JSON.stringify(body) });
  demand(answer.ok, `${path}: ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function health() {
  const deep = answered(await trunkline.readHealth({ query: { deep: true } }), 200);
  demand(deep.checks, deep);
  step("the deep check of health");
}

async function extensions() {
  const queues = answered(await trunkline.listExtensions({ query: { type: ["Department"], perPage: 2 } }), 200);
  demand(queues.records.length === 2, queues);
  const everything = answered(await trunkline.listExtensions({ query: { perPage: 1000 } }), 200);
  demand(everything.records.length >= 200, everything.records.length);
  for (const extension of everything.records) demand(extension.id !== undefined, extension);
  demand(answered(await trunkline.listSites(), 200).records.length > 0, "there are no sites");
  step(`lists of ${everything.records.length} extensions, of call queues and sites`);
}

async function creation() {
  const contact = { firstName: "Ida", lastName: "Cole", email: "ida.typescript@example.com" };
  const headers = { "Idempotency-Key": "ida-typescript" };
  const first = await trunkline.createExtension({ body: { extensionNumber: "7001", contact }, headers });
  const again = await trunkline.createExtension({ body: { extensionNumber: "7001", contact }, headers });
  const [made, replayed] = [answered(first, 201), answered(again, 201)];
  demand(made.id === replayed.id && again.response?.headers.get("Idempotency-Replayed") === "true", "it was not replayed");
  const path = { id: String(made.id) };
  demand(answered(await trunkline.readExtension({ path }), 200).extensionNumber === "7001", "another number");
  const wrong = refused(await trunkline.createExtension({ body: { contact: { firstName: "Ida", email: "ida" } } }), 400);
  demand(Array.isArray(wrong.errors) && wrong.errors.length > 0, wrong);
  const deleted = await trunkline.deleteExtension({ path });
  demand(deleted.response?.status === 204, deleted.error);
  refused(await trunkline.readExtension({ path }), 404);
  step("a user is created once, read and deleted; a wrong one is a problem that names fields");
}

async function events() {
  const eventFilters = ["/restapi/v1.0/account/~/telephony/sessions"];
  const made = answered(await trunkline.createSubscription({ body: { eventFilters } }), 201);
  const listed = answered(await trunkline.listSubscriptions(), 200).records.map((one) => one.id);
  demand(listed.includes(made.id), listed);
  await simulator("events", { count: 100, duplicates: 0.05, reorder: true });
  const query = { kind: "telephony-session", perPage: 200 } as const;
  let page = answered(await trunkline.listEvents({ query }), 200);
  for (let tries = 0; page.records.length < 100 && tries < 300; tries++) {
    await simulator("stats");
    page = answered(await trunkline.listEvents({ query }), 200);
  }
  demand(new Set(page.records.map((event) => event.uuid)).size === 100, page.records.length);
  const telephonySessionId = page.records[0]?.telephonySessionId ?? "";
  const session = answered(await trunkline.readTelephonySession({ path: { telephonySessionId } }), 200);
  demand(session.telephonySessionId === telephonySessionId, session);
  step("a subscription is made and listed; 100 events arrived by it, each listed once");
}

async function budget() {
  let answer = await trunkline.listExtensions({ query: { perPage: 1 } });
  for (let tries = 0; answer.response?.status === 200 && tries < 120; tries++) {
    answer = await trunkline.listExtensions({ query: { perPage: 1 } });
  }
  refused(answer, 429);
  demand(Number(answer.response?.headers.get("Retry-After")) >= 1, "no Retry-After");
  demand(answered(await trunkline.listLimits(), 200).records.length > 0, "there are no limits");
  demand((await simulator("stats")).throttled === 0, "RingCentral refused something");
  step("the rate budget is used up: the answer says when to come back, and RingCentral refused nothing");
}

async function main() {
  for (const part of [health, extensions, creation, events, budget]) await part();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
