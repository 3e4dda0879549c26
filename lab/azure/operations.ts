/**
 * Long-running operations in the forms Azure uses, and their status routes.
 * Rule: an operation is reported done only after its effect was witnessed; an expired operation id is 404, as the service does.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from './refusal.ts';
import type { Settings } from './world-file.ts';

/** `both`: Azure-AsyncOperation and Location. `location`: Location alone. `body`: provisioningState of the resource. */
export type Form = 'both' | 'location' | 'body';

interface Operation {
  readonly id: string;
  readonly form: Form;
  readonly startedAt: number;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  result: unknown;
  error: { code: string; message: string } | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface OperationOptions {
  /** The resource's body, for PUTs. */
  readonly first?: unknown;
  /** Makes the operation fail instead of having its effect. */
  readonly fail?: { readonly code: string; readonly message: string } | undefined;
  /** Told when the operation failed, for whatever reason. */
  readonly failed?: () => void;
}

export class Operations {
  private readonly settings: Settings;
  private readonly base: string;
  private readonly all = new Map<string, Operation>();

  /** `base`: absolute URL up to and with `/operations`. */
  constructor(settings: Settings, base: string) {
    this.settings = settings;
    this.base = base;
  }

  /** Starts `effect` after the usual time and answers at once. */
  start(form: Form, effect: () => Promise<unknown>, options: OperationOptions = {}): Answer {
    const operation: Operation = {
      id: randomUUID(),
      form,
      startedAt: Date.now(),
      status: 'InProgress',
      result: undefined,
      error: undefined,
    };
    this.all.set(operation.id, operation);
    void this.run(operation, effect, options);
    const url = `${this.base}/${operation.id}?api-version=2024-11-04`;
    const headers: Record<string, string> = {};
    if (form === 'both') headers['Azure-AsyncOperation'] = url;
    if (form !== 'body') headers.Location = `${url}&monitor=true`;
    if (options.first !== undefined) return { status: form === 'body' ? 201 : 202, headers, body: options.first };
    return { status: 202, headers };
  }

  private async run(
    operation: Operation,
    effect: () => Promise<unknown>,
    { fail, failed }: OperationOptions,
  ): Promise<void> {
    await pause(this.settings.lroMs);
    try {
      if (fail) throw new Refusal(409, fail.code, fail.message);
      operation.result = await effect();
      operation.status = 'Succeeded';
    } catch (error) {
      operation.error =
        error instanceof Refusal
          ? { code: error.code, message: error.message }
          : { code: 'InternalExecutionError', message: String(error) };
      failed?.();
      operation.status = 'Failed';
    }
  }

  /** The status of an operation, by its own URL (`monitor`: by the Location URL). */
  poll(id: string, monitor: boolean): Answer {
    const operation = this.all.get(id);
    if (!operation || Date.now() - operation.startedAt > this.settings.operationExpiryMs)
      throw new Refusal(404, 'NotFound', `The entity was not found: operation ${id}.`);
    const { status, error, result } = operation;
    if (!monitor) {
      const startTime = new Date(operation.startedAt).toISOString();
      return { status: 200, body: { name: id, startTime, status, ...(error ? { error } : {}) } };
    }
    if (status === 'InProgress')
      return { status: 202, headers: { Location: `${this.base}/${id}?api-version=2024-11-04&monitor=true` } };
    if (error) throw new Refusal(409, error.code, error.message);
    return { status: 200, body: result ?? {} };
  }
}
