/** The workflow SDK looks for this on the global object when it is loaded, as its own worker puts it there; so import this first. */
import { AsyncLocalStorage } from 'node:async_hooks';

Object.assign(globalThis, { AsyncLocalStorage });
