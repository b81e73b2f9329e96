import { DemoError, reach } from './demo-error.js';

/** Its last digits are none of those that decide by themselves at the double: it waits for the payer. */
export const PHONE_NUMBER = '+229 01 51 34 57 55';

/** Somebody takes their phone and enters their PIN. */
export async function approveOnPhone(pawapayUrl: string, paymentId: string): Promise<void> {
  await control(pawapayUrl, `deposits/${paymentId}-1/approve`);
}

/** Once: whoever tries again afterwards, here or elsewhere, is let through. */
export async function refuseNextDeposit(pawapayUrl: string): Promise<void> {
  await control(pawapayUrl, 'faults', {
    operation: 'createDeposit',
    fault: { kind: 'reject', failureCode: 'PROVIDER_TEMPORARILY_UNAVAILABLE' },
  });
}

async function control(pawapayUrl: string, path: string, body?: object): Promise<void> {
  const response = await reach(new URL(`/_double/${path}`, pawapayUrl), {
    method: 'POST',
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.ok) return;
  throw new DemoError(
    `PawaPay's double did not do what the demo asked for (${response.status}): ${await response.text()}\n` +
      'Was the server started again meanwhile? Then run the demo once more: npm run demo',
  );
}
