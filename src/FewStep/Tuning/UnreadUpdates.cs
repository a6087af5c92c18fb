using TorchSharp;

namespace FewStep.Tuning;

/// <summary>Figures of updates that still lie on the device. Reading one from a GPU waits for all the work before it, so they are read in
/// groups there; a processor's are read at once.</summary>
internal sealed class UnreadUpdates(Device device)
{
    private const int GroupOnDevice = 20;
    private readonly List<(long Update, long Images, double Rate, Tensor Figures)> _unread = [];

    /// <summary>Whether figures are read as soon as they are there.</summary>
    public bool ReadsAtOnce { get; } = device.type == DeviceType.CPU;

    public bool IsEmpty => _unread.Count == 0;

    /// <param name="loss">One float32 on the device; not changed.</param>
    /// <param name="norm">One float32 on the device; not changed.</param>
    public IReadOnlyList<TrainingUpdate> Add(long update, long images, Tensor loss, Tensor norm, double rate)
    {
        using var noGradient = no_grad();
        _unread.Add((update, images, rate, stack([loss.detach().reshape([]), norm.reshape([])]).DetachFromDisposeScope()));
        return ReadsAtOnce || _unread.Count == GroupOnDevice ? Read() : [];
    }

    public IReadOnlyList<TrainingUpdate> Read()
    {
        if (IsEmpty)
            return [];
        using var scope = NewDisposeScope();
        float[] figures = cat([.. _unread.Select(u => u.Figures)]).cpu().data<float>().ToArray();
        TrainingUpdate[] told =
            [.. _unread.Select((u, i) => new TrainingUpdate(u.Update, u.Images, figures[2 * i], figures[(2 * i) + 1], u.Rate))];
        _unread.ForEach(u => u.Figures.Dispose());
        _unread.Clear();
        return told;
    }
}
