import type { ProxiedConnection } from '../../../src/testing/index.ts'
import { lost, timedOut, unhurt } from './expectations.ts'
import type { Fault } from './fault.ts'
import type { Scene } from './scene.ts'

const connections = (scenes: readonly Scene[]): readonly ProxiedConnection[] =>
  scenes.flatMap(({ proxy }) => proxy!.connections)

export const reset: Fault = {
  name: 'connections are reset (RST)',
  notice: 'told',
  hits: 'all',
  behindProxy: true,
  strike(scenes) {
    for (const connection of connections(scenes)) connection.reset()
  },
  cells: lost('all'),
}

export const hungUp: Fault = {
  name: 'the other side hangs up without a word (FIN)',
  notice: 'told',
  hits: 'all',
  behindProxy: true,
  strike(scenes) {
    for (const connection of connections(scenes)) connection.toClient.end()
  },
  cells: lost('all'),
}

export const unreachable: Fault = {
  name: 'connections are reset, and refused for a while',
  notice: 'told',
  hits: 'all',
  behindProxy: true,
  async strike(scenes) {
    await Promise.all(scenes.map(({ proxy }) => proxy!.refuse()))
    for (const { proxy } of scenes) proxy!.reset()
  },
  end: (scenes) => Promise.all(scenes.map(({ proxy }) => proxy!.accept())),
  cells: lost('all'),
}

export const blackHole: Fault = {
  name: 'the network is a black hole for a while',
  notice: 'by time',
  hits: 'all',
  behindProxy: true,
  strike(scenes) {
    for (const { proxy } of scenes) proxy!.hold()
  },
  end(scenes) {
    for (const { proxy } of scenes) proxy!.resume()
  },
  cells: timedOut('all'),
}

/** What waited is done, COMMIT among it, and nobody hears. */
export const deaf: Fault = {
  name: 'statements arrive, their answers do not',
  notice: 'by time',
  hits: 'all',
  behindProxy: true,
  async strike(scenes) {
    for (const { proxy } of scenes) proxy!.toClient.hold()
    await Promise.all(scenes.map((scene) => scene.letGo()))
  },
  end(scenes) {
    for (const { proxy } of scenes) proxy!.toClient.resume()
  },
  cells: timedOut('all'),
}

export const slow: Fault = {
  name: 'the network is slow, and gives one byte at a time',
  notice: 'never',
  hits: 'all',
  behindProxy: true,
  strike(scenes) {
    for (const { proxy } of scenes) {
      proxy!.delay(20, 20)
      proxy!.slice(1)
    }
  },
  end(scenes) {
    for (const { proxy } of scenes) proxy!.heal()
  },
  cells: unhurt,
}
