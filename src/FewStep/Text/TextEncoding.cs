using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Text;

/// <summary>Prompts to embeddings, as the pipelines of Stable Diffusion 1, 2 and XL make them: tokenizers and text encoders of a folder of
/// diffusers. What was encoded is kept, up to a bound. Safe to use from several threads.</summary>
internal sealed class TextEncoding : IDisposable
{
    private const string Third = "text_encoder_3";
    private const int PromptsOfBatch = 16;
    private const long MostKeptBytes = 256 << 20;

    private static readonly (string Encoder, string Tokenizer, LoraPart Part)[] Folders =
        [("text_encoder", "tokenizer", LoraPart.TextEncoder), ("text_encoder_2", "tokenizer_2", LoraPart.SecondTextEncoder)];

    private readonly Lock _lock = new();
    private readonly Branch[] _branches;
    private readonly TextEncodingOptions _options;
    private readonly bool _isXl, _emptyIsZero;
    private readonly Dictionary<string, Embedding> _kept = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private long _keptBytes;

    private TextEncoding(Branch[] branches, bool isXl, bool emptyIsZero, TextEncodingOptions options)
        => (_branches, _isXl, _emptyIsZero, _options) = (branches, isXl, emptyIsZero, options);

    /// <summary>Tokens of an embedding, padding included.</summary>
    public int Length => _branches[0].Length;

    /// <summary>Channels of an embedding.</summary>
    public int Width => _branches.Sum(branch => branch.Encoder.Network.Width);

    /// <summary>Channels of the pooled embedding; null where the model is told none.</summary>
    public int? PooledWidth => _isXl ? _branches[^1].Encoder.Network.PooledWidth : null;

    /// <summary>Prompts that were longer than the encoders read, and cut, so far.</summary>
    public int Cut { get; private set; }

    /// <summary>Whether a folder is a pipeline that takes prompts.</summary>
    public static bool IsIn(string pipeline)
        => Folders.Any(f => HasConfig(pipeline, f.Encoder)) || HasConfig(pipeline, Third);

    /// <summary>Reads configurations and tokenizers of a pipeline; the caller owns the result. Weights are read by the first
    /// prompt.</summary>
    public static TextEncoding Open(string pipeline, TextEncodingOptions? options = null)
    {
        options ??= new();
        if (HasConfig(pipeline, Third))
        {
            throw new InvalidInputException($"{pipeline} is a pipeline with three text encoders (Stable Diffusion 3), one of them T5, "
                + "whose tokenizer is not read; read are those with one or two of CLIP's.");
        }

        var branches = new List<Branch>();
        try
        {
            foreach (var (encoder, tokenizer, part) in Folders)
            {
                if (HasConfig(pipeline, encoder))
                    branches.Add(Branch.Open(Path.Combine(pipeline, encoder), Path.Combine(pipeline, tokenizer), part, options));
            }

            if (branches.Count == 0)
            {
                throw new InvalidInputException($"{pipeline} has no text encoder ({Folders[0].Encoder}/{DiffusersPipeline.ConfigName} is "
                    + "missing), so it takes no prompts. Give the folder of the whole pipeline.");
            }

            bool isXl = HasConfig(pipeline, Folders[1].Encoder);
            if (branches[^1].Encoder.Projects != isXl || branches.Exists(b => b.Length != branches[0].Length))
            {
                throw new InvalidInputException($"{pipeline}: its text encoders are neither one without a projection (Stable Diffusion 1 "
                    + "and 2) nor such with one in text_encoder_2 and texts of one length (XL); others are not known here.");
            }

            string index = Path.Combine(pipeline, "model_index.json");
            bool zero = !File.Exists(index) || !JsonFile.ReadPython(index).TryGetValue("force_zeros_for_empty_prompt", out var given)
                || given.ValueKind != JsonValueKind.False;
            return new TextEncoding([.. branches], isXl, isXl && zero, options);
        }
        catch
        {
            foreach (var branch in branches)
                branch.Encoder.Dispose();
            throw;
        }
    }

    /// <summary>Embeddings of prompts: <see cref="NetworkCondition.Context"/> float32 [K,L,D] and, of XL,
    /// <see cref="NetworkCondition.Pooled"/> [K,P].</summary>
    /// <returns>On the options' device, in the current dispose scope.</returns>
    public NetworkCondition Encode(IReadOnlyList<string> prompts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompts.Count, nameof(prompts));
        lock (_lock)
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            var found = new Dictionary<string, Embedding>(StringComparer.Ordinal);
            foreach (string prompt in prompts)
            {
                if (_kept.TryGetValue(prompt, out var kept))
                    found[prompt] = kept;
            }

            string[] missing = [.. prompts.Distinct(StringComparer.Ordinal).Where(prompt => !found.ContainsKey(prompt))];
            foreach (string[] batch in missing.Chunk(PromptsOfBatch))
            {
                foreach (var (prompt, embedding) in batch.Zip(Embed(batch)))
                    found[prompt] = embedding;
            }

            var context = stack([.. prompts.Select(prompt => found[prompt].Context)]).to(_options.Device);
            var pooled = _isXl ? stack([.. prompts.Select(prompt => found[prompt].Pooled!)]).to(_options.Device) : null;
            foreach (string prompt in missing)
                Keep(prompt, found[prompt]);
            return new NetworkCondition { Context = context.MoveToOuterDisposeScope(), Pooled = pooled?.MoveToOuterDisposeScope() };
        }
    }

    /// <summary>What stands for no prompt: the embedding of the empty text, or zeros where the pipeline of XL was trained with
    /// those.</summary>
    /// <returns>As of <see cref="Encode"/>, <paramref name="count"/> times.</returns>
    public NetworkCondition Empty(int count)
    {
        if (!_emptyIsZero)
            return Encode([.. Enumerable.Repeat("", count)]);
        return new NetworkCondition
        {
            Context = zeros([count, Length, Width], ScalarType.Float32, _options.Device),
            Pooled = zeros([count, PooledWidth!.Value], ScalarType.Float32, _options.Device),
        };
    }

    /// <summary>Frees the encoders' weights; what was encoded stays.</summary>
    public void Release()
    {
        lock (_lock)
        {
            foreach (var branch in _branches)
                branch.Encoder.Release();
        }
    }

    public void Dispose()
    {
        Release();
        foreach (var embedding in _kept.Values)
            embedding.Dispose();
        _kept.Clear();
    }

    private static bool HasConfig(string pipeline, string part)
        => File.Exists(Path.Combine(pipeline, part, DiffusersPipeline.ConfigName));

    // Rows on the processor, in the current dispose scope.
    private List<Embedding> Embed(string[] prompts)
    {
        var layer = _isXl ? TextLayer.Penultimate : TextLayer.Last;
        layer = layer with { Skipped = layer.Skipped + _options.ClipSkip };
        var contexts = new List<Tensor>();
        Tensor? pooled = null;
        var cut = new bool[prompts.Length];
        foreach (var branch in _branches)
        {
            var ids = prompts.Select(branch.Tokenizer.Encode).ToList();
            for (int i = 0; i < cut.Length; i++)
                cut[i] |= ids[i].Count > branch.Length;
            long[] padded = [.. ids.SelectMany(text => branch.Tokenizer.Padded(text, branch.Length))];
            var states = branch.Encoder.Encode(tensor(padded).view(prompts.Length, branch.Length), layer);
            contexts.Add(states.Hidden.cpu());
            pooled = _isXl ? states.Pooled!.cpu() : null;
        }

        Cut += cut.Count(isCut => isCut);
        var context = contexts.Count == 1 ? contexts[0] : cat([.. contexts], -1);
        return [.. prompts.Select((_, i) => new Embedding(context[i].clone(), pooled?[i].clone()))];
    }

    private void Keep(string prompt, Embedding embedding)
    {
        if (embedding.Bytes > MostKeptBytes)
            return;
        _kept.Add(prompt, embedding.Detached());
        _order.Enqueue(prompt);
        _keptBytes += embedding.Bytes;
        while (_keptBytes > MostKeptBytes)
        {
            _kept.Remove(_order.Dequeue(), out var oldest);
            _keptBytes -= oldest!.Bytes;
            oldest.Dispose();
        }
    }

    private sealed record Embedding(Tensor Context, Tensor? Pooled) : IDisposable
    {
        public long Bytes => sizeof(float) * (Context.numel() + (Pooled?.numel() ?? 0));

        public Embedding Detached() => this with { Context = Context.DetachFromDisposeScope(), Pooled = Pooled?.DetachFromDisposeScope() };

        public void Dispose()
        {
            Context.Dispose();
            Pooled?.Dispose();
        }
    }

    private sealed record Branch(TextEncoder Encoder, ClipTokenizer Tokenizer, int Length)
    {
        public static Branch Open(string encoderFolder, string tokenizerFolder, LoraPart part, TextEncodingOptions options)
        {
            var encoder = TextEncoder.Open(encoderFolder, new TextEncoderOptions
            { Device = options.Device, Variant = options.Variant, Loras = options.Loras, Part = part });
            if (!encoder.IsClip)
            {
                throw new InvalidInputException($"{encoderFolder} is a text encoder of T5, whose tokenizer is not read; read are those of "
                    + "CLIP.");
            }

            var tokenizer = ClipTokenizer.Open(tokenizerFolder);
            int positions = encoder.Network.Positions!.Value, length = tokenizer.Length ?? positions;
            return length <= positions ? new Branch(encoder, tokenizer, length) : throw new InvalidInputException(
                $"{tokenizerFolder} makes texts of {length} tokens, the encoder beside it takes {positions}: they do not belong together.");
        }
    }
}

/// <summary>How prompts are encoded.</summary>
internal sealed record TextEncodingOptions
{
    /// <summary>Where encoders compute and embeddings lie: the processor by default.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Last layers of the encoders that are left out besides those that the model leaves out itself: 1 is what other programs call
    /// a clip skip of 2.</summary>
    public int ClipSkip { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Variant"/>
    public string? Variant { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Loras"/>
    public IReadOnlyList<(LoraFile Lora, double Scale)> Loras { get; init; } = [];
}
