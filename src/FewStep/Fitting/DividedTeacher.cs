using FewStep.Sampling;
using FewStep.Shards;

namespace FewStep.Fitting;

/// <summary>The teacher's paths of a fit, divided by batches of latents. They are about half of what a fit costs; the fit itself looks at
/// all latents at every step, and is done where they are joined.</summary>
/// <param name="identity">All that determines the fit.</param>
/// <param name="groups">Schedules that begin and end alike, which share their paths.</param>
/// <param name="paths">Runs the teacher from some batches of latents (null for all) past the sigmas of a group.</param>
/// <param name="evaluations">Evaluations of the teacher so far.</param>
internal sealed class DividedTeacher(
    string identity, IReadOnlyList<IReadOnlyList<SamplingSchedule>> groups, FitLatents latents, IImageEmbedding embedding, Device device,
    Func<int, IReadOnlyList<int>?, TeacherStates> paths, Func<long> evaluations, IProgress<WorkProgress>? progress,
    CancellationToken cancellation) : IDividedWork<TeacherPaths>
{
    private const string StoreName = "paths";
    private const int Numbers = 2; // evaluations and seconds

    public string Identity => identity;

    public TeacherPaths Whole() => new(group => Spent(() => paths(group, null)));

    public void Do(Part part)
    {
        var store = PartTensors.Open(part, StoreName);
        int batches = latents.Batches.Count();
        int[] own = [.. part.Shard.Owned(groups.Count * batches)];
        for (int done = 0; done < own.Length; done++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (group, batch) = (own[done] / batches, own[done] % batches);
            if (!store.Has(Key(group, batch)))
            {
                using var scope = NewDisposeScope();
                var (states, spent, seconds) = Spent(() => paths(group, [batch]));
                using (states)
                    store.Add(Key(group, batch), states.Batch(batch).ToDictionary(s => s.Key, s => s.Value.cpu()), spent, seconds);
            }

            progress?.Report(new WorkProgress("teacher paths", done + 1, own.Length, "batches"));
        }
    }

    public TeacherPaths Join(Parts parts)
    {
        var stores = parts.All.ToDictionary(p => p.Shard.Number, p => PartTensors.Open(p, StoreName));
        int batches = latents.Batches.Count();
        int Owner(int group, int batch) => Shard.OwnerOf((group * batches) + batch, parts.Count);
        parts.RequireAll(part => Enumerable.Range(0, groups.Count).SelectMany(g => latents.Batches.Select(b => (Group: g, Batch: b)))
            .Count(p => Owner(p.Group, p.Batch) == part.Shard.Number && !stores[part.Shard.Number].Has(Key(p.Group, p.Batch))) is > 0
                and var lacking ? InvariantText.Of($"{lacking} batches of latents") : null);
        return new(Read);

        (TeacherStates States, long Evaluations, double Seconds) Read(int group)
        {
            var states = new TeacherStates(embedding);
            try
            {
                var (spent, seconds) = (0L, 0.0);
                foreach (int batch in latents.Batches)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using var scope = NewDisposeScope();
                    var (tensors, numbers) = stores[Owner(group, batch)].Find(Key(group, batch), Numbers)!.Value;
                    if (!states.TryTake(batch, tensors, groups[group], latents.Noise(batch).shape, device))
                    {
                        throw new InvalidInputException($"{parts.Find(Owner(group, batch))!.Folder} does not hold the teacher's paths that "
                            + "its shard makes; remove it and run the shard again.");
                    }

                    spent += (long)numbers[0];
                    seconds += numbers[1];
                }

                return (states, spent, seconds);
            }
            catch
            {
                states.Dispose();
                throw;
            }
        }
    }

    private static string Key(int group, int batch) => InvariantText.Of($"group {group}, batch {batch}");

    private (TeacherStates States, long Evaluations, double Seconds) Spent(Func<TeacherStates> make)
    {
        var watch = Stopwatch.StartNew();
        long before = evaluations();
        var states = make();
        return (states, evaluations() - before, watch.Elapsed.TotalSeconds);
    }
}

/// <summary>A fit's teacher paths, of each group of schedules when they are asked for.</summary>
/// <param name="Of">The states of a group, which the caller owns, and what they cost.</param>
internal sealed record TeacherPaths(Func<int, (TeacherStates States, long Evaluations, double Seconds)> Of);
