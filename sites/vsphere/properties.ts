/**
 * Reads properties of managed objects, one object or all of a kind.
 * Rule: an answer without a value is "absent" only when the server says so; a property that is missing because the
 * session is dead or a right is lacking is a failure. Never asks for a property that the published API does not list.
 */
import { Failure } from '../../model/failure.ts';
import type { Work } from '../source.ts';
import { failureOfFault, faultBehind } from './failure.ts';
import { localizedFault } from './fault.ts';
import { deadSession, type ReadableSession, readTwice, required } from './session.ts';
import type { Ref, Vim } from './wire/shapes.ts';

export interface Found {
  readonly ref: Ref;
  readonly values: ReadonlyMap<string, unknown>;
}

const pageSize = 100;

function foundIn(content: Vim<'ObjectContent'>, subject: string, strict: boolean): Found {
  for (const missing of content.missingSet ?? []) {
    const fault = missing.fault && localizedFault(missing.fault);
    if (fault?.type === 'NotAuthenticated') throw deadSession('RetrievePropertiesEx', subject);
    if (fault && strict) throw failureOfFault(fault, `reading ${missing.path ?? 'a property'}`, subject);
  }
  const values = new Map((content.propSet ?? []).map((property) => [property.name ?? '', property.val]));
  return { ref: content.obj ?? { type: '', value: '' }, values };
}

/** The named properties of one object. Throws when the object is gone or a property may not be read. */
export async function readObject(
  session: ReadableSession,
  ref: Ref,
  paths: readonly string[],
  work: Work,
  subject = ref.value,
): Promise<Found> {
  return readTwice(session, async () => {
    const collector = required((await session.content(work)).propertyCollector, 'property collector');
    const spec = { propSet: [{ type: ref.type, pathSet: paths }], objectSet: [{ obj: ref }] };
    const result = await session.call('RetrievePropertiesEx', collector, { specSet: [spec], options: {} }, work, {
      subject,
    });
    const [content] = result?.objects ?? [];
    if (content) return foundIn(content, subject, true);
    throw failureOfFault({ type: 'ManagedObjectNotFound', text: ref.value }, 'RetrievePropertiesEx', subject);
  });
}

/** The properties of all objects that one property of `ref` points at, in one call: those that are gone are simply not there. */
export async function readLinked(
  session: ReadableSession,
  ref: Ref,
  link: string,
  type: string,
  paths: readonly string[],
  work: Work,
): Promise<Found[]> {
  return readTwice(session, async () => {
    const collector = required((await session.content(work)).propertyCollector, 'property collector');
    const follow = { $type: 'TraversalSpec', name: link, type: ref.type, path: link, skip: false };
    const spec = {
      propSet: [{ type, pathSet: paths }],
      objectSet: [{ obj: ref, skip: true, selectSet: [follow] }],
    };
    const result = await session.call('RetrievePropertiesEx', collector, { specSet: [spec], options: {} }, work);
    return (result?.objects ?? []).map((content) => foundIn(content, ref.value, false));
  });
}

/** The named properties of each of these objects, whatever their kinds. Throws when one of them is gone. */
export async function readEach(
  session: ReadableSession,
  refs: readonly Ref[],
  paths: readonly string[],
  work: Work,
): Promise<Found[]> {
  if (refs.length === 0) return [];
  return readTwice(session, async () => {
    const collector = required((await session.content(work)).propertyCollector, 'property collector');
    const kinds = [...new Set(refs.map((ref) => ref.type))];
    const spec = {
      propSet: kinds.map((type) => ({ type, pathSet: paths })),
      objectSet: refs.map((obj) => ({ obj })),
    };
    const found: Found[] = [];
    let page = await session.call('RetrievePropertiesEx', collector, { specSet: [spec], options: {} }, work);
    while (page) {
      for (const content of page.objects ?? []) found.push(foundIn(content, refs[0]?.type ?? '', false));
      const token: string | undefined = page.token;
      page =
        token === undefined
          ? undefined
          : await session.call('ContinueRetrievePropertiesEx', collector, { token }, work);
    }
    return found;
  });
}

async function readPages(
  session: ReadableSession,
  view: Ref,
  type: string,
  paths: readonly string[],
  work: Work,
): Promise<Found[]> {
  const collector = required((await session.content(work)).propertyCollector, 'property collector');
  const select = { $type: 'TraversalSpec', name: 'view', type: 'ContainerView', path: 'view', skip: false };
  const spec = { propSet: [{ type, pathSet: paths }], objectSet: [{ obj: view, skip: true, selectSet: [select] }] };
  const found: Found[] = [];
  let page = await session.call(
    'RetrievePropertiesEx',
    collector,
    { specSet: [spec], options: { maxObjects: pageSize } },
    work,
  );
  while (page) {
    for (const content of page.objects ?? []) found.push(foundIn(content, type, false));
    const token: string | undefined = page.token;
    page =
      token === undefined ? undefined : await session.call('ContinueRetrievePropertiesEx', collector, { token }, work);
  }
  return found;
}

/**
 * The named properties of every object of a kind in the whole inventory. Objects whose properties may not be read
 * come back without them: another owner's machine must not stop ours.
 */
export async function readAll(
  session: ReadableSession,
  type: string,
  paths: readonly string[],
  work: Work,
): Promise<Found[]> {
  const read = async (): Promise<Found[]> => {
    const content = await session.content(work);
    const views = required(content.viewManager, 'view manager');
    const container = required(content.rootFolder, 'root folder');
    const view = await session.call('CreateContainerView', views, { container, type: [type], recursive: true }, work);
    try {
      return await readPages(session, view, type, paths, work);
    } finally {
      await dropQuietly(session.call('DestroyView', view, {}, work));
    }
  };
  try {
    return await readTwice(session, read);
  } catch (error) {
    // The view went with its session between two calls, and the new session does not know it: begin again with a new view.
    if (faultBehind(error)?.type !== 'ManagedObjectNotFound') throw error;
    return readTwice(session, read);
  }
}

/** Ends something that lives no longer than the session anyway: a failure to do so is not worth the caller's answer. */
export async function dropQuietly(ending: Promise<unknown>): Promise<void> {
  try {
    await ending;
  } catch (error) {
    if (!(error instanceof Failure)) return;
  }
}
