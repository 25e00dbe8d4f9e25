/** Jest doesn't load ES modules by require(): Node does it here, and hands over what tests need. */
const { TestEnvironment } = require("jest-environment-node");
const { testServer } = require("zookernel/testing");

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.testServer = testServer;
  }
};
