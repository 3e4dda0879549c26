/**
 * The program that runs a script in a guest once for each key, however often it is started: pure text, no calls.
 * Rule: the first start makes the key's folder, which cannot be made twice, and runs the script; a later start finds the
 * folder and waits for the end that the first one writes. The folder is the run's own and goes with releaseScripts.
 */
import type { GuestScript } from '../../model/arrival.ts';
import { timedOutCode } from '../../model/arrival.ts';

export interface GuestProgram {
  readonly programPath: string;
  readonly arguments: string;
}

/**
 * The wrapper was started again, and the script that an earlier start began has left no end: the guest restarted. A script
 * of somebody's may end with it, too, and then there is an end in the folder.
 */
export const lostCode = 75;

/** How long a script that was told to stop may take to do so, in seconds. */
const graceSeconds = 15;
/** What of an output is handed over; the rest stays in the guest until the folder goes. */
const tailBytes = 4_096;

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** One argument of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const sh = (script: string): GuestProgram => ({ programPath: '/bin/sh', arguments: `-c ${quoted(script)}` });

/** PowerShell takes a whole program as base64 of UTF-16, so that nothing has to be quoted. */
const powershell = (script: string): GuestProgram => ({
  programPath: 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
  arguments: `-NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ${Buffer.from(script, 'utf16le').toString('base64')}`,
});

const shFolder = (run: string): string => `/var/tmp/homeward-${run}`;
const windowsFolder = (run: string): string => `C:\\ProgramData\\homeward-${run}`;

/** Where the end of the output is found, once the program has ended; `code`: where its exit code is, once the script has ended. */
export const placeOf = (
  run: string,
  { key, shell }: Pick<GuestScript, 'key' | 'shell'>,
  file: 'tail' | 'code',
): string => (shell === 'sh' ? `${shFolder(run)}/${key}/${file}` : `${windowsFolder(run)}\\${key}\\${file}`);

export function onceProgram(run: string, { key, script, shell, timeoutSeconds }: GuestScript): GuestProgram {
  const lastSecond = timeoutSeconds + graceSeconds;
  if (shell === 'sh')
    return sh(
      [
        `p="${shFolder(run)}"; d="$p/${key}"; umask 077; mkdir -p "$p" || exit 1`,
        // Somebody else may have made the folder, to have his own script run in our place.
        `[ -O "$p" ] || { echo "$p belongs to somebody else" >&2; exit 76; }`,
        `if mkdir "$d" 2>/dev/null; then`,
        // A guest without base64 would run an empty script, which ends well.
        `  echo ${base64(script)} | base64 -d >"$d/script" &&`,
        `  timeout -k 5 ${timeoutSeconds} sh "$d/script" >"$d/out" 2>&1 </dev/null; c=$?`,
        `  tail -c ${tailBytes} "$d/out" >"$d/tail"; echo $c >"$d/code.new"; mv "$d/code.new" "$d/code"`,
        'fi',
        `n=0; while [ ! -f "$d/code" ]; do [ $n -ge ${lastSecond} ] && exit ${lostCode}; sleep 1; n=$((n+1)); done`,
        'exit "$(cat "$d/code")"',
      ].join('\n'),
    );
  const folder = `${windowsFolder(run)}\\${key}`;
  return powershell(
    [
      `$d='${folder}'; New-Item -ItemType Directory -Force $d | Out-Null; $first=$true`,
      'try { [IO.File]::Open("$d\\begun",\'CreateNew\').Close() } catch { $first=$false }',
      'if ($first) {',
      `  [IO.File]::WriteAllBytes("$d\\script.ps1",[Convert]::FromBase64String('${base64(script)}'))`,
      "  $a='-NoProfile','-NonInteractive','-ExecutionPolicy','Bypass','-File',\"`\"$d\\script.ps1`\"\"",
      '  $p=Start-Process powershell -ArgumentList $a -RedirectStandardOutput "$d\\out" -RedirectStandardError "$d\\err" -PassThru -WindowStyle Hidden',
      `  $null=$p.Handle; if ($p.WaitForExit(${timeoutSeconds * 1000})) { $c=$p.ExitCode } else { $p.Kill(); $c=${timedOutCode} }`,
      `  $t=(Get-Content -Raw "$d\\out","$d\\err" -ErrorAction SilentlyContinue) -join ''`,
      `  if ($t.Length -gt ${tailBytes}) { $t=$t.Substring($t.Length-${tailBytes}) }`,
      '  Set-Content -NoNewline "$d\\tail" $t; Set-Content "$d\\code.new" $c; Move-Item "$d\\code.new" "$d\\code"',
      '}',
      `$n=0; while (-not (Test-Path "$d\\code")) { if ($n -ge ${lastSecond}) { exit ${lostCode} }; Start-Sleep 1; $n++ }`,
      'exit [int](Get-Content "$d\\code")',
    ].join('\n'),
  );
}

/** When a look has ended by the guest's own clock, in seconds after its start. */
export const lookEndsWithin = (timeoutSeconds: number): number => timeoutSeconds + graceSeconds;

/** A script that is run anew each time and leaves nothing: its exit code is all that is asked for. */
export const lookProgram = ({ script, shell, timeoutSeconds }: Omit<GuestScript, 'key' | 'machine'>): GuestProgram =>
  shell === 'sh' ? shLook(script, timeoutSeconds) : powershellLook(script, timeoutSeconds);

/** Never handed over as the shell's own input: a command that reads its input would eat the rest, and what is left ends well. */
const shLook = (script: string, timeoutSeconds: number): GuestProgram =>
  sh(
    [
      `s=$(echo ${base64(script)} | base64 -d) || exit 126`,
      `exec timeout -k 5 ${timeoutSeconds} sh -c "$s" >/dev/null 2>&1 </dev/null`,
    ].join('\n'),
  );

const powershellLook = (script: string, timeoutSeconds: number): GuestProgram =>
  powershell(
    [
      '$f=[IO.Path]::Combine([IO.Path]::GetTempPath(),"homeward-$([guid]::NewGuid()).ps1"); $c=126',
      'try {',
      `  [IO.File]::WriteAllBytes($f,[Convert]::FromBase64String('${base64(script)}'))`,
      "  $a='-NoProfile','-NonInteractive','-ExecutionPolicy','Bypass','-File',\"`\"$f`\"\"",
      '  $p=Start-Process powershell -ArgumentList $a -PassThru -WindowStyle Hidden; $null=$p.Handle',
      `  if ($p.WaitForExit(${timeoutSeconds * 1000})) { $c=$p.ExitCode }`,
      `  else { taskkill /T /F /PID $p.Id | Out-Null; $c=${timedOutCode} }`,
      '} finally { Remove-Item -Force $f -ErrorAction SilentlyContinue }',
      'exit $c',
    ].join('\n'),
  );

/** Removes the folder of the run; there is nothing to say when there is none. */
export const cleanProgram = (run: string, shell: GuestScript['shell']): GuestProgram =>
  shell === 'sh'
    ? sh(`rm -rf "${shFolder(run)}"`)
    : powershell(`Remove-Item -Recurse -Force '${windowsFolder(run)}' -ErrorAction SilentlyContinue; exit 0`);
