/** Where the playing of a recording is. */
export interface PlaybackState {
  readonly paused: boolean;
  /** 2 is twice as fast as it was. */
  readonly speed: number;
  /** µs from the start of the recording. */
  readonly position: number;
  readonly ended: boolean;
  /** Whether messages come at the distances in time that they had. */
  readonly timed: boolean;
  readonly seekable: boolean;
}

/** How the playing of a recording is steered. */
export interface Playback {
  readonly state: PlaybackState;
  pause(paused: boolean): void;
  /** Lets the next message through while it is paused. */
  step(): void;
  setSpeed(speed: number): void;
  /** Goes forth or back, µs. */
  seek(micros: number): void;
}
