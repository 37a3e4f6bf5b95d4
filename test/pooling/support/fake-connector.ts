export {
  PermanentError,
  ScriptedConnection as FakeConnection,
  ScriptedConnector as FakeConnector,
} from '../../../src/testing/scripted/scripted-connector.ts'
export { Step } from '../../../src/testing/scripted/step.ts'
