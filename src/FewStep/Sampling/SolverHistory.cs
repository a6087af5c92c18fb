using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>The past steps of one run, newest first. It owns their tensors, and disposes of a step that its solver no longer looks
/// at.</summary>
internal sealed class SolverHistory(int length) : IDisposable
{
    private readonly List<PastStep> _steps = new(length + 1);

    public IReadOnlyList<PastStep> Steps => _steps;

    /// <summary>Takes a step and its tensors over, which must not belong to a dispose scope.</summary>
    public void Push(PastStep step)
    {
        _steps.Insert(0, step);
        if (_steps.Count > length)
        {
            Dispose(_steps[^1]);
            _steps.RemoveAt(_steps.Count - 1);
        }
    }

    public void Dispose()
    {
        _steps.ForEach(Dispose);
        _steps.Clear();
    }

    private static void Dispose(PastStep step)
    {
        step.State.Dispose();
        step.Denoised.Dispose();
        step.Predicted?.Dispose();
    }
}
