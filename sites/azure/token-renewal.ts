/**
 * Cures a token that Azure no longer takes although it looks valid: revoked, or the identity was changed.
 * Rule: a 401 means nothing was done, so one fresh login and one repeat are safe for every call; a second 401 stands.
 * Never logs a token, and keeps none but those it needs to recognise the refused one.
 */
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';

/** More refused tokens than this in one process are not renewals any more; their memory is dropped. */
const mostRefused = 16;

/**
 * A pipeline policy that stands behind the SDK's own bearer policy. `fresh` makes a credential with an empty cache.
 * The SDK goes on handing out a refused token until its printed end, so its successor is remembered here; calls that
 * are refused together share one login.
 */
export function tokenRenewal(fresh: () => TokenCredential, scope: string): PipelinePolicy {
  const successors = new Map<string, Promise<string>>();
  const successorOf = (refused: string): Promise<string> => {
    const known = successors.get(refused);
    if (known) return known;
    if (successors.size >= mostRefused) successors.clear();
    const login = freshHeader(fresh(), scope);
    successors.set(refused, login);
    login.then(
      (header) => header === refused && successors.delete(refused),
      () => successors.delete(refused),
    );
    return login;
  };
  return {
    name: 'homewardTokenRenewal',
    async sendRequest(request, next) {
      let header = request.headers.get('authorization');
      if (header === undefined) return next(request);
      for (let known = successors.get(header); known !== undefined; known = successors.get(header))
        header = await known;
      request.headers.set('authorization', header);
      const response = await next(request);
      if (response.status !== 401) return response;
      request.headers.set('authorization', await successorOf(header));
      return next(request);
    },
  };
}

async function freshHeader(credential: TokenCredential, scope: string): Promise<string> {
  const token = await credential.getToken(scope);
  if (token === null) throw new Error('the credential gave no token');
  return `Bearer ${token.token}`;
}
