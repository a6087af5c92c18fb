using System.Diagnostics;
using System.Text;
using FewStep.Shards;

namespace FewStep.Cli.Verbs;

/// <summary>What sampling cost.</summary>
internal sealed record Drawn(long Images, long Evaluations, double Seconds)
{
    public static Drawn operator +(Drawn a, Drawn b) => new(a.Images + b.Images, a.Evaluations + b.Evaluations, a.Seconds + b.Seconds);
}

/// <summary>Sampling of many images, divided by batches: those of the whole are those of the shares, so each image has the same bytes. A
/// part holds its images in archives of some thousand, which are unpacked and removed when parts are joined.</summary>
/// <param name="identity">All that determines the images.</param>
/// <param name="whole">The batches of the undivided work, sampled when they are asked for.</param>
internal sealed class DividedSampling(
    BatchSampler sampler, IReadOnlyList<long> seeds, SampleSink sink, string identity,
    Func<IEnumerable<SampledBatch>> whole, IProgress<WorkProgress> progress, CancellationToken cancellation) : IDividedWork<Drawn>
{
    private const int ImagesOfArchive = 1000;
    private const int LargestEntry = 128 << 20;
    private const string DrawnName = "drawn.json";

    public string Identity => identity;

    private int Batches => (seeds.Count + sampler.BatchSize - 1) / sampler.BatchSize;

    public Drawn Whole() => Draw(whole(), sink.Take);

    public void Do(Part part)
    {
        long done = 0, total = part.Shard.Owned(Batches).Sum(b => (long)SeedsOf(b).Length);
        foreach (var archive in Archives(part.Shard))
        {
            if (!File.Exists(part.At(archive.File)) && !File.Exists(part.At(archive.Taken)))
                AtomicFile.Write(part.At(archive.File), stream => Write(stream, archive, done, total));
            done += archive.Seeds.Count();
        }
    }

    public Drawn Join(Parts parts)
    {
        if (!parts.All.Any(p => Archives(p.Shard).Any(a => File.Exists(p.At(a.Taken)))))
            sink.Begin();
        var all = new Drawn(0, 0, 0);
        var missing = new Dictionary<int, string>();
        foreach (var part in parts.All)
        {
            int lacking = 0, count = 0;
            foreach (var archive in Archives(part.Shard))
            {
                cancellation.ThrowIfCancellationRequested();
                count++;
                if (Take(part, archive) is { } drawn)
                    all += drawn;
                else
                    lacking++;
                progress.Report(new WorkProgress("joining", all.Images, seeds.Count, "img"));
            }

            if (lacking > 0)
                missing[part.Shard.Number] = InvariantText.Of($"{lacking} of {count} archives");
        }

        parts.RequireAll(part => missing.GetValueOrDefault(part.Shard.Number));
        return all;
    }

    private IEnumerable<Archive> Archives(Shard shard) => shard.Owned(Batches).Chunk(Math.Max(1, ImagesOfArchive / sampler.BatchSize))
        .Select((batches, i) => new Archive(InvariantText.Of($"images-{i:D6}"), [.. batches.Select(SeedsOf)]));

    private long[] SeedsOf(int batch)
    {
        int first = batch * sampler.BatchSize;
        return [.. Enumerable.Range(first, Math.Min(sampler.BatchSize, seeds.Count - first)).Select(i => seeds[i])];
    }

    private void Write(Stream stream, Archive archive, long before, long total)
    {
        using var zip = new StoredZipWriter(stream);
        long done = before;
        var drawn = Draw(archive.Batches.SelectMany(batch => sampler.Sample(batch, null, cancellation)), batch =>
        {
            foreach (var (seed, png) in sink.Encoded(batch))
                zip.Add(PngFile.Name(seed), png);
            progress.Report(new WorkProgress("sampling", done += batch.Seeds.Count, total, "img"));
        });
        zip.Add(DrawnName, Encoding.UTF8.GetBytes(JsonFile.Text(drawn)));
        zip.Finish();
    }

    // The archive's images; the note of what they cost takes its place once they are there.
    private Drawn? Take(Part part, Archive archive)
    {
        string file = part.At(archive.File), taken = part.At(archive.Taken);
        if (!File.Exists(taken))
        {
            if (!File.Exists(file))
                return null;
            using var content = ZipContent.Open(file);
            if (!content.Names.ToHashSet().SetEquals(archive.Seeds.Select(PngFile.Name).Append(DrawnName)))
                throw new InvalidInputException($"{file} does not hold the images of its shard; remove it and run {part.Shard} again.");
            foreach (long seed in archive.Seeds)
                sink.Take(seed, content.ReadAll(PngFile.Name(seed), LargestEntry));
            byte[] note = content.ReadAll(DrawnName, LargestEntry);
            AtomicFile.Write(taken, stream => stream.Write(note));
        }

        File.Delete(file);
        return JsonFile.Read<Drawn>(taken);
    }

    private static Drawn Draw(IEnumerable<SampledBatch> batches, Action<SampledBatch> take)
    {
        var drawn = new Drawn(0, 0, 0);
        var sampling = Stopwatch.StartNew(); // without the time of writing
        foreach (var batch in batches)
        {
            DeviceWork.Finish(batch.Images.device);
            sampling.Stop();
            using (batch)
            {
                drawn += new Drawn(batch.Images.shape[0], batch.Evaluations, 0);
                take(batch);
            }

            sampling.Start();
        }

        return drawn with { Seconds = sampling.Elapsed.TotalSeconds };
    }

    private sealed record Archive(string Name, long[][] Batches)
    {
        public string File => Name + ".zip";

        /// <summary>What takes its place when its images are in the results' folder.</summary>
        public string Taken => Name + ".json";

        public IEnumerable<long> Seeds => Batches.SelectMany(b => b);
    }
}
