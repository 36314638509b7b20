// The order of this demo in TypeScript.
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ActivityFailure, condition, defineQuery, defineSignal, defineUpdate, executeChild, log, patched,
  proxyActivities, proxyLocalActivities, setHandler, sleep, upsertMemo, upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';

type Item = { item: string; count: number };
const LIMIT = '30 seconds';
const SHOP = defineSearchAttributeKey('Shop', 'KEYWORD');
const activities = { startToCloseTimeout: LIMIT, retry: { initialInterval: '10 ms' } } as const;
const { check } = proxyLocalActivities({ startToCloseTimeout: LIMIT });
const { decline, ship } = proxyActivities(activities);
const { charge } = proxyActivities(activities);
const { pack } = proxyActivities({ startToCloseTimeout: '1 hour', heartbeatTimeout: LIMIT });

export const approve = defineSignal<[string]>('approve');
export const state = defineQuery<string>('state');
export const change = defineUpdate<string, [number]>('change');

export async function Order(item: Item): Promise<string> {
  let approvedBy = '', progress = 'new';
  setHandler(approve, (by) => { approvedBy = by; }, { description: 'Approve the order.' });
  setHandler(state, () => progress, { description: 'Progress of the order.' });
  setHandler(change, (count) => `${count} pieces`, { description: 'Change the number of pieces.' });
  patched('c');
  await check(item.item);
  await charge.executeWithOptions({ summary: 'charge the card' }, [item]);
  try {
    await decline(item.item);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.info('declined');
  }
  await sleep(100, { summary: 'wait for the bank' });
  upsertSearchAttributes([{ key: SHOP, value: 'lisbon' }]);
  upsertMemo({ note: 'hello' });
  progress = 'waits for approval';
  await condition(() => approvedBy !== '', '1 hour');
  await executeChild(Delivery, { workflowId: `${workflowInfo().workflowId}-delivery`, args: ['Lisbon'] });
  return `approved by ${approvedBy}`;
}

export async function Delivery(city: string): Promise<string> {
  return await ship(city);
}

export async function Packing(item: string): Promise<string> {
  return await pack(item);
}

export async function Broken(item: string): Promise<string> {
  const prices: any = {};
  return prices[item].toString();
}
