import type { FaultsByChance } from './faults.js';
import { type HttpExchange, HttpProblem, parseBody } from './http-exchange.js';

export function chanceOf(exchange: HttpExchange): FaultsByChance {
  const { share, seed } = parseBody(exchange);
  return { share: Number(share), ...(typeof seed === 'number' && { seed }) };
}

/** Shares and delays are checked where they are used. @throws {HttpProblem} 422 for what makes no sense. */
export function allowOnlySense(control: () => void): void {
  try {
    control();
  } catch (error) {
    if (error instanceof RangeError) throw new HttpProblem(422, error.message);
    throw error;
  }
}
