/**
 * Jest's environment for Node, with a plain global object.
 * Rule: nothing else differs. Jest's own stands behind a proxy, so that each use of a global (`Math`, `Buffer`, `Object`) costs
 * half a microsecond: up to half the time of tests that compute.
 */
const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

const contextify = vm.createContext;

module.exports = class PlainGlobal extends TestEnvironment {
  constructor(...given) {
    vm.createContext = () => contextify(vm.constants.DONT_CONTEXTIFY);
    try {
      super(...given);
    } finally {
      vm.createContext = contextify;
    }
  }
};
