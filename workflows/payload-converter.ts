/**
 * How payloads become values in workers. A payload that cannot be read becomes a value that no message accepts.
 * Rule (S7, L6): anyone may send a run a signal, and a run that failed at each try to read one would hear nothing any
 * more, not even a cancel. Never gives a broken payload a meaning: whoever reads it finds `unreadable` and refuses it.
 */
import {
  BinaryPayloadConverter,
  CompositePayloadConverter,
  JsonPayloadConverter,
  type Payload,
  UndefinedPayloadConverter,
} from '@temporalio/common';

class PatientConverter extends CompositePayloadConverter {
  override fromPayload<T>(payload: Payload): T {
    try {
      return super.fromPayload<T>(payload);
    } catch (error) {
      return { unreadable: error instanceof Error ? error.message : String(error) } as T;
    }
  }
}

/** The name and the kind of export that Temporal's workers look for. */
export const payloadConverter = new PatientConverter(
  new UndefinedPayloadConverter(),
  new BinaryPayloadConverter(),
  new JsonPayloadConverter(),
);
