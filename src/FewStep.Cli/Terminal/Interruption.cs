using System.Runtime.InteropServices;

namespace FewStep.Cli.Terminal;

/// <summary>Turns the first Ctrl-C (or a request to terminate) into a cancellation, so that work stops at a point from which it resumes;
/// the second one ends the program at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption(Action<string> say, CancellationToken cancellation = default)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        StopRequest.Token = _source.Token;
        void Stop(PosixSignalContext context)
        {
            if (!_source.IsCancellationRequested)
            {
                context.Cancel = true;
                say("fewstep: stopping after the current step; again to stop at once.");
                _source.Cancel();
            }
        }

        _registrations =
            [PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop)];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        StopRequest.Token = default;
        _source.Dispose();
    }
}
