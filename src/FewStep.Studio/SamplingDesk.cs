namespace FewStep.Studio;

/// <summary>Samples one request at a time, and of each side of the page the newest alone: who drags a sigma sees the images of where it is,
/// not of where it was.</summary>
internal sealed class SamplingDesk : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (CancellationTokenSource Source, bool GivesWay)> _newest = [];

    /// <summary>Does a request's work on another thread once it is its turn.</summary>
    /// <param name="side">Whose request it is; an older one of the same side is cancelled.</param>
    /// <param name="givesWay">Whether it is cancelled by the request of any side, which then comes first.</param>
    /// <exception cref="OperationCanceledException">A newer one came, or whoever asked has left.</exception>
    public async Task<T> Do<T>(string side, Func<CancellationToken, T> work, bool givesWay, CancellationToken left)
    {
        using var own = CancellationTokenSource.CreateLinkedTokenSource(left);
        lock (_lock)
        {
            foreach (var (_, older) in _newest.Where(n => n.Key == side || (n.Value.GivesWay && !givesWay)))
                older.Source.Cancel();
            _newest[side] = (own, givesWay);
        }

        try
        {
            await _turn.WaitAsync(own.Token);
            try
            {
                return await Task.Run(() => work(own.Token), own.Token);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            lock (_lock)
            {
                if (_newest.GetValueOrDefault(side).Source == own)
                    _newest.Remove(side);
            }
        }
    }

    public void Dispose() => _turn.Dispose();
}
