namespace FewStep.Tuning;

/// <summary>TensorBoard events of a training.</summary>
internal sealed class EventLog : IDisposable
{
    private const int Interval = 20;
    private readonly Lazy<TorchSharp.Modules.SummaryWriter> _writer;

    /// <summary>Prepares a new event file, which is opened with the first event: work that is refused leaves none.</summary>
    public EventLog(string folder)
    {
        if (File.Exists(folder))
        {
            throw new InvalidInputException(
                $"Cannot write events to {folder}: it is a file, not a folder. Remove it, or choose another folder.");
        }

        _writer = new(() =>
        {
            Directory.CreateDirectory(folder);
            return utils.tensorboard.SummaryWriter(folder, createRunName: false);
        });
    }

    public void Training(TrainingUpdate update)
    {
        if (update.Update % Interval == 0)
        {
            _writer.Value.add_scalar("train/loss", (float)update.Loss, (int)update.Images);
            _writer.Value.add_scalar("train/gradient_norm", (float)update.GradientNorm, (int)update.Images);
            _writer.Value.add_scalar("train/learning_rate", (float)update.LearningRate, (int)update.Images);
        }
    }

    public void Scalar(string name, double value, long step) => _writer.Value.add_scalar(name, (float)value, (int)step);

    public void Dispose()
    {
        // The writer flushes every event itself.
    }
}
