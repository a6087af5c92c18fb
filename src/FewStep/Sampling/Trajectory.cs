namespace FewStep.Sampling;

/// <summary>Records the states of a run and the denoiser's outputs there: pass <see cref="Record"/> as the sampler's observer. It owns what
/// it recorded.</summary>
internal sealed class Trajectory : IDisposable
{
    private readonly List<Tensor> _states = [];
    private readonly List<Tensor> _denoised = [];

    public IReadOnlyList<Tensor> States => _states;

    /// <summary>D(x_i; sigma_i): N after a whole run, N+1 where the terminal rule is zero.</summary>
    public IReadOnlyList<Tensor> Denoised => _denoised;

    /// <summary>Keeps a point. The tensors' memory is shared with the run, which never changes a tensor in place.</summary>
    public void Record(TrajectoryPoint point)
    {
        _states.Add(point.State.detach().DetachFromDisposeScope());
        if (point.Denoised is not null)
            _denoised.Add(point.Denoised.detach().DetachFromDisposeScope());
    }

    public void Dispose()
    {
        foreach (var recorded in _states.Concat(_denoised))
            recorded.Dispose();
        _states.Clear();
        _denoised.Clear();
    }
}
