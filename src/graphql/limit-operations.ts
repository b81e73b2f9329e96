import type { ServerOptions } from 'graphql-ws';
import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type ExecutionArgs,
  type OperationDefinitionNode,
} from 'graphql';
import type { SocketLimits } from '../limits/limits.js';
import { SocketOperations, type SocketOperation } from '../limits/socket-operations.js';
import type { Place } from '../limits/turnstile.js';
import type { AdmitOperation } from './admit-operation.js';
import type { Context } from './context.js';

type Options<Connection> = ServerOptions<Record<string, unknown>, Connection>;

/** The same options, with limits on the operations of each socket. One that is refused ends with an error, and alone. */
export function limitOperations<Connection>(
  limits: SocketLimits,
  enter: (connection: Connection) => Promise<Place>,
  admit: AdmitOperation,
  options: Options<Connection>,
): Options<Connection> {
  const sockets = new WeakMap<object, SocketOperations>();
  const counted = new WeakMap<object, SocketOperation & { readonly place: Place }>();
  const operationsOf = (socket: object): SocketOperations => {
    const known = sockets.get(socket) ?? new SocketOperations(limits);
    sockets.set(socket, known);
    return known;
  };
  return {
    ...options,
    onSubscribe: async (socket, id, payload) => {
      let operation: SocketOperation | undefined;
      let place: Place | undefined;
      const end = () => {
        operation?.end();
        place?.leave();
      };
      try {
        const operations = operationsOf(socket);
        operation = operations.begin();
        place = await enter(socket.extra);
        const args = await options.onSubscribe?.(socket, id, payload);
        if (!args || !('document' in args)) {
          end();
          return args;
        }
        await admitArgs(args, operations, admit);
        counted.set(payload, { lasts: operation.lasts, place, end });
        return args;
      } catch (error) {
        end();
        return [asGraphQLError(error)];
      }
    },
    onOperation: async (socket, id, payload, args, result) => {
      if (Symbol.asyncIterator in result) {
        counted.get(payload)?.lasts();
        counted.get(payload)?.place.leave();
      }
      return options.onOperation?.(socket, id, payload, args, result);
    },
    onComplete: async (socket, id, payload) => {
      counted.get(payload)?.end();
      await options.onComplete?.(socket, id, payload);
    },
  };
}

async function admitArgs(
  { document, operationName, variableValues, contextValue }: ExecutionArgs,
  operations: SocketOperations,
  admit: AdmitOperation,
): Promise<void> {
  // The document was found to have it.
  const definition: OperationDefinitionNode = getOperationAST(document, operationName)!;
  if (definition.operation === OperationTypeNode.SUBSCRIPTION) operations.admitSubscription();
  await admit({ document, definition, variables: variableValues ?? {} }, contextValue as Context);
}

function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('The operation was refused.', { originalError: error as Error });
}
