namespace FewStep.Tuning;

/// <summary>The training loss over images seen, averaged over intervals, as a CSV file that survives resuming.</summary>
internal sealed class LossLog
{
    private const int UpdatesPerRow = 100;
    private const long MaximumBytes = 256 << 20;
    private const string Header = "images,loss,gradient_norm,learning_rate";
    private readonly string _path;
    private readonly List<string> _rows = [];
    private readonly Queue<TrainingUpdate> _open = new();

    public LossLog(string path, long images)
    {
        _path = path;
        if (images > 0 && File.Exists(path))
        {
            _rows.AddRange(InputFile.ReadText(path, MaximumBytes).Split('\n', StringSplitOptions.TrimEntries).Skip(1).Where(
                r => long.TryParse(r.Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long seen) && seen <= images));
        }
    }

    /// <summary>Mean loss of the updates since the last row.</summary>
    public double Recent { get; private set; } = double.NaN;

    public void Add(TrainingUpdate update)
    {
        _open.Enqueue(update);
        Recent = _open.Average(u => u.Loss);
        if (update.Update % UpdatesPerRow == 0)
        {
            _rows.Add(InvariantText.Of($"{update.Images},{Recent:G6},{_open.Average(u => u.GradientNorm):G6},{update.LearningRate:G6}"));
            _open.Clear();
        }
    }

    public void Flush() => AtomicFile.WriteText(_path, string.Join('\n', [Header, .. _rows]) + "\n");
}
