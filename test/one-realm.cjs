/**
 * Jest's environment: the tests run in Node's own realm, as Homeward does, not in a context beside it.
 * Rule: a test file leaves the environment's variables as it found them; all else that it changes it puts back itself. In a context of its own every file would load every package anew (test/native-packages.cjs), and errors of Node
 * would be no `Error` there.
 */
const { AsyncLocalStorage } = require('node:async_hooks');
const vm = require('node:vm');
const { ModernFakeTimers } = require('@jest/fake-timers');
const { ModuleMocker } = require('jest-mock');

/** What jest gives to Node as the context to compile for; Node's own realm is meant by none. */
const here = Object.freeze({});
const { compileFunction } = vm;
vm.compileFunction = (source, names, { parsingContext, ...options } = {}) =>
  compileFunction(source, names, parsingContext === here ? options : { parsingContext, ...options });

// Temporal's SDK for workflows looks for it there when it is loaded, as its own worker puts it there.
Object.assign(globalThis, { AsyncLocalStorage });

module.exports = class OneRealm {
  constructor({ projectConfig }) {
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.fakeTimers = null;
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.variables = { ...process.env };
  }

  async setup() {
    Error.stackTraceLimit = 100;
  }

  async teardown() {
    this.fakeTimersModern.dispose();
    for (const name of Object.keys(process.env)) if (!(name in this.variables)) delete process.env[name];
    Object.assign(process.env, this.variables);
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return here;
  }
};
