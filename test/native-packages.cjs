/**
 * Jest's loader of modules, but for packages: these are loaded by Node itself, once in a worker of jest.
 * Rule: what is ours is loaded anew for each test file. Loaded by jest, the packages of a file are half of what it computes.
 * Works only in Node's own realm (test/one-realm.cjs).
 */
const { createRequire } = require('node:module');
const Runtime = require('jest-runtime').default;

/** They belong to the test file that asks for them. */
const ofJest = new Set(['@jest/globals', 'expect']);
const isPackage = (name) => !/^(\.|\/|node:)/.test(name) && !ofJest.has(name);
const requires = new Map();

module.exports = class NativePackages extends Runtime {
  requireModuleOrMock(from, name) {
    if (!isPackage(name) || from.includes('/node_modules/')) return super.requireModuleOrMock(from, name);
    const known = requires.get(from) ?? createRequire(from);
    requires.set(from, known);
    return known(name);
  }
};
