export { settled, VirtualClock } from '../../../src/testing/scripted/virtual-clock.ts'
