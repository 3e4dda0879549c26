/**
 * Shared access signatures on snapshots and disks: who may read what, until when.
 * Rule: a grant that ended or was revoked opens nothing; at most five snapshots of one family are open at once.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { conflict, Refusal } from './refusal.ts';
import type { Settings } from './world-file.ts';

export interface Grant {
  /** `snapshot/<uniqueId>`, `diskRestorePoint/<uniqueId>` or `disk/<uniqueId>`. */
  readonly on: string;
  /** Name of the snapshot or disk, for state and audit. */
  readonly name: string;
  readonly family: string;
  readonly access: 'Read' | 'Write';
  readonly account: string;
  readonly container: string;
  readonly signature: string;
  readonly url: string;
  expiresAt: number;
}

/** What a grant is asked for. */
export type Grantable = Pick<Grant, 'on' | 'name' | 'family' | 'access'>;

export const blobHostSuffix = 'blob.storage.azure.net';
const mostOfAFamily = 5;

/**
 * Disk restore points are backed by snapshots of the disk's family (`familyId`: "id of the backing snapshot's MIS family").
 * Whether they share the five places is not documented; here they do, which is the stricter answer.
 */
const isPointOfFamily = (on: string): boolean => !on.startsWith('disk/');

export class Grants {
  private readonly settings: Settings;
  private grants: Grant[] = [];

  constructor(settings: Settings) {
    this.settings = settings;
  }

  private now(): number {
    return Date.now() + this.settings.clockOffsetMs;
  }

  private live(): Grant[] {
    return this.grants.filter((grant) => grant.expiresAt > this.now());
  }

  liveOn(on: string): Grant | undefined {
    return this.live().find((grant) => grant.on === on);
  }

  names(): string[] {
    return this.live().map((grant) => grant.name);
  }

  begin(on: string, name: string, family: string, seconds: number, access: Grant['access'] = 'Read'): Grant {
    if (this.liveOn(on))
      throw conflict(
        `${name} has an active shared access signature already; call EndGetAccess first.`,
        'ActiveSasExists',
      );
    const open = new Set(
      this.live()
        .filter((grant) => grant.family === family && isPointOfFamily(grant.on))
        .map((grant) => grant.on),
    );
    if (isPointOfFamily(on) && open.size >= mostOfAFamily)
      throw conflict(
        `At most ${mostOfAFamily} snapshots of one incremental family can have an active SAS at once.`,
        'TooManyActiveSas',
      );
    const account = `${access === 'Write' ? 'md-impexp' : 'md'}-${randomBytes(6).toString('hex')}`;
    const container = randomBytes(6).toString('hex');
    const signature = randomBytes(32).toString('base64url');
    const url = `https://${account}.${blobHostSuffix}/${container}/abcd?sv=2018-03-28&sr=b&si=${randomUUID()}&sig=${signature}`;
    const life = Math.min(seconds, this.settings.sasMaxSeconds) * 1000;
    const grant: Grant = { on, name, family, access, account, container, signature, url, expiresAt: this.now() + life };
    this.grants = [...this.live(), grant];
    return grant;
  }

  end(on: string): void {
    this.grants = this.grants.filter((grant) => grant.on !== on);
  }

  expireAll(): void {
    for (const grant of this.grants) grant.expiresAt = 0;
  }

  /** The live grant a blob URL carries, if it carries one. */
  find(url: URL): Grant | undefined {
    const account = url.hostname.split('.')[0];
    const signature = url.searchParams.get('sig');
    return this.live().find(
      (one) => one.account === account && one.signature === signature && url.pathname === `/${one.container}/abcd`,
    );
  }

  /** The same, but refuses with what the blob service answers when there is none. */
  check(url: URL): Grant {
    const grant = this.find(url);
    if (grant) return grant;
    throw new Refusal(
      403,
      'AuthenticationFailed',
      'Server failed to authenticate the request. Signature not valid in the specified time frame.',
    );
  }
}
