using FewStep.Metrics;
using FewStep.Shards;

namespace FewStep.Experiments;

/// <summary>The measurement of trials on ranges of seeds, divided. Where there are many cells (trials x ranges), each is one share's;
/// where there are few, or all are compared with a teacher's images, each is cut by its seeds, and what the metrics keep of the pieces is
/// joined.</summary>
/// <remarks>Pieces are whole batches of the undivided work, so the images are the same. With a teacher, a share has the same seeds of all
/// trials, so that the teacher samples every seed once.</remarks>
internal sealed class DividedTrials(
    TrialMeasurement measurement, MeasurementStore store, IReadOnlyList<Trial> trials, ExperimentOptions options, Func<Trial, int> cost,
    IProgress<WorkProgress>? progress, CancellationToken cancellation) : IDividedWork<TrialMeasurement>
{
    /// <summary>Pieces that a share should have, for the shares to take about equally long.</summary>
    private const int PiecesOfShare = 4;

    private const string SumsName = "sums", FailuresName = "failures.json", TeacherName = "teacher";
    private const int Numbers = 2; // evaluations and seconds
    private readonly List<Trial> _ordered = measurement.Ordered(trials);

    public string Identity => string.Join('\n', [
        InvariantText.Of($"figures of seeds {options.FirstSeed}, {options.Ranges} ranges of {options.Samples} by {options.BatchSize}"),
        .. _ordered.Select(t => InvariantText.Of($"{t.ImagesKey("")} {t.Role == TrialRole.Teacher}")), .. measurement.Identities]);

    /// <summary>Where the teacher's images are kept, in the folder of the results and in that of a part.</summary>
    public static string TeacherFolder(string folder) => Path.Combine(folder, TeacherName);

    public TrialMeasurement Whole()
    {
        measurement.Run(trials, progress, cancellation);
        return measurement;
    }

    public void Do(Part part)
    {
        var (cells, sums) = (MeasurementStore.Open(part.Folder), PartTensors.Open(part, SumsName));
        var failures = Failures(part);
        var own = Cells(part.Shard.Count).SelectMany(pieces => pieces).Where(p => p.Owner == part.Shard.Number).ToList();
        long total = own.Sum(Evaluations), done = 0;
        foreach (var piece in own)
        {
            string key = piece.Trial.ImagesKey("");
            bool isThere = measurement.Missing(piece.Trial, piece.Range).Length == 0
                || (piece.IsWhole ? cells.Find(CellKey(piece)) is not null : sums.Has(PieceKey(piece)));
            if (isThere || failures.ContainsKey(key))
            {
                total -= Evaluations(piece);
                continue;
            }

            void Sampled(int images) => progress?.Report(new WorkProgress(
                "comparison", done += (long)images * cost(piece.Trial), total, "evaluations", $"{piece.Trial}, {piece.Seeds}"));
            using var scope = NewDisposeScope();
            if (Tried(piece, Sampled) is not { } keep)
            {
                failures[key] = measurement.Failure(piece.Trial)!;
                JsonFile.Write(part.At(FailuresName), failures);
            }
            else
            {
                keep();
            }
        }

        // What to keep of a piece and how; null for a trial that cannot be measured, which must not cost the others.
        Action? Tried(Piece piece, Action<int> sampled)
        {
            try
            {
                if (piece.IsWhole)
                {
                    var cell = measurement.Measure(piece.Trial, piece.Range, sampled, cancellation);
                    return () => cells.Add(cell);
                }

                var (kept, evaluations, seconds) = measurement.MeasurePart(piece.Trial, piece.Range, piece.Seeds, sampled, cancellation);
                var named = kept.SelectMany((all, m) => all.Select(s => KeyValuePair.Create(Name(m, s.Key), s.Value))).ToList();
                return () => sums.Add(PieceKey(piece), named, evaluations, seconds);
            }
            catch (InvalidInputException e) when (!e.IsOfStorage)
            {
                measurement.Fail(piece.Trial, e.Message);
                return null;
            }
        }
    }

    public TrialMeasurement Join(Parts parts)
    {
        var opened = parts.All.ToDictionary(p => p.Shard.Number, p => (Cells: MeasurementStore.Open(p.Folder),
            Sums: PartTensors.Open(p, SumsName)));
        var failures = new Dictionary<string, string>();
        foreach (var (key, reason) in parts.All.SelectMany(Failures))
            failures.TryAdd(key, reason);
        foreach (var trial in _ordered)
        {
            if (failures.TryGetValue(trial.ImagesKey(""), out string? reason) && measurement.Failure(trial) is null)
                measurement.Fail(trial, reason);
        }

        var missing = new Dictionary<int, int>();
        void Lack(Piece piece) => missing[piece.Owner] = missing.GetValueOrDefault(piece.Owner) + 1;
        var whole = new List<MeasuredRange>();
        long done = 0;
        foreach (var pieces in Cells(parts.Count))
        {
            cancellation.ThrowIfCancellationRequested();
            var (trial, range) = (pieces[0].Trial, pieces[0].Range);
            progress?.Report(new WorkProgress("joining", ++done, CellCount, "cells"));
            if (measurement.Failure(trial) is not null || measurement.Missing(trial, range).Length == 0)
                continue;
            if (pieces[0].IsWhole)
            {
                if (opened.TryGetValue(pieces[0].Owner, out var part) && part.Cells.Find(CellKey(pieces[0])) is { } cell)
                    whole.Add(cell);
                else
                    Lack(pieces[0]);
                continue;
            }

            var lacking = pieces.Where(p => !opened.TryGetValue(p.Owner, out var part) || !part.Sums.Has(PieceKey(p))).ToList();
            lacking.ForEach(Lack);
            if (lacking.Count == 0)
                store.Add(Joined(trial, range, pieces.Select(p => opened[p.Owner].Sums.Find(PieceKey(p), Numbers)!.Value)));
        }

        store.Add([.. whole]);
        parts.RequireAll(part => missing.TryGetValue(part.Shard.Number, out int cells)
            ? InvariantText.Of($"{cells} piece{(cells == 1 ? "" : "s")} of its work") : null);
        JoinTeacher(parts);
        return measurement;
    }

    private static string Name(int metric, string sum) => InvariantText.Of($"{metric}/{sum}");

    private static Dictionary<string, string> Failures(Part part) =>
        File.Exists(part.At(FailuresName)) ? JsonFile.Read<Dictionary<string, string>>(part.At(FailuresName)) : [];

    private MeasuredRange Joined(
        Trial trial, SeedRange range, IEnumerable<(IReadOnlyDictionary<string, Tensor> Tensors, double[] Numbers)> pieces)
    {
        using var scope = NewDisposeScope();
        return measurement.Join(trial, range, Each(), cancellation);

        // One in memory at a time: there are as many as shares, and each may be as large as all of them together.
        IEnumerable<(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> Sums, long Evaluations, double Seconds)> Each()
        {
            foreach (var (tensors, numbers) in pieces)
            {
                yield return ([.. Enumerable.Range(0, measurement.Identities.Count).Select(m => tensors
                    .Where(t => t.Key.StartsWith(Name(m, ""), StringComparison.Ordinal))
                    .ToDictionary(t => t.Key[Name(m, "").Length..], t => t.Value))], (long)numbers[0], numbers[1]);
                foreach (var tensor in tensors.Values)
                    tensor.Dispose();
            }
        }
    }

    private void JoinTeacher(Parts parts)
    {
        if (options.Endpoints is not { } endpoints)
            return;
        // All trials have the same seeds in the same shares.
        foreach (var pieces in Cells(parts.Count).Where(pieces => pieces[0].Trial == _ordered[0]))
            endpoints.Join(pieces[0].Range, [.. pieces.Select(p => (p.Seeds, TeacherFolder(parts.Find(p.Owner)!.Folder)))]);
    }

    private long Evaluations(Piece piece) => (long)piece.Seeds.Count * cost(piece.Trial);
    private string CellKey(Piece piece) => piece.Trial.ImagesKey(piece.Range, options.BatchSize);
    private string PieceKey(Piece piece) => piece.Trial.ImagesKey(piece.Seeds, options.BatchSize);

    private long CellCount => (long)options.Ranges * _ordered.Count;

    /// <summary>The pieces of each cell, in the order in which they are done.</summary>
    public IEnumerable<Piece[]> Cells(int shares)
    {
        bool hasTeacher = options.Endpoints is not null;
        int batches = (options.Samples + options.BatchSize - 1) / options.BatchSize;
        // As few as will do, for what the metrics keep of a piece is as large as what they keep of the whole.
        long wanted = hasTeacher ? shares : (((long)PiecesOfShare * shares) + CellCount - 1) / CellCount;
        int cuts = (int)Math.Min(wanted, Math.Min(shares, batches));
        var cells = options.SeedRanges.SelectMany((range, r) => _ordered.Select(trial => (Range: range, Trial: trial, Place: (long)r)));
        if (!hasTeacher) // dearest first, so that the shares cost about the same
            cells = cells.OrderByDescending(c => cost(c.Trial)).Select((c, i) => c with { Place = i });
        return cells.Select(c => Enumerable.Range(0, cuts).Select(cut => new Piece(
            c.Trial, c.Range, new SeedRange(c.Range.First + Edge(cut), (int)(Edge(cut + 1) - Edge(cut))),
            Shard.OwnerOf((c.Place * cuts) + cut, shares))).ToArray());

        long Edge(int cut) => Math.Min((long)cut * batches / cuts * options.BatchSize, options.Samples);
    }

    /// <summary>Some consecutive seeds of a cell, which one share does.</summary>
    internal sealed record Piece(Trial Trial, SeedRange Range, SeedRange Seeds, int Owner)
    {
        public bool IsWhole => Seeds == Range;
    }
}
