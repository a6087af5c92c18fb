namespace FewStep.Tests.Checkpoints;

/// <summary>A UNet2DModel of diffusers written down straight from its description, layer by layer and in diffusers' names: an oracle for
/// the reader. Parameters come into being, at random, when they are first asked for.</summary>
internal sealed class DiffusersReference(int[] channels, bool[] attention, int layers, int? headChannels, double epsilon, int groups,
    bool scaleShift, int padding, bool cosineFirst, int shift) : IDisposable
{
    private readonly Generator _generator = new(7);

    /// <summary>The parameters so far.</summary>
    public Dictionary<string, Tensor> State { get; } = [];

    /// <summary>Whether attention is named as before diffusers 0.12.</summary>
    public bool OldNames { get; init; }

    /// <summary>Classes; 0 for none.</summary>
    public int Classes { get; init; }

    /// <summary>Residual blocks instead of convolutions change the resolution.</summary>
    public bool ByResidualBlocks { get; init; }

    /// <summary>Whether there are blocks in the middle.</summary>
    public bool HasMiddle { get; init; } = true;

    /// <summary>Whether they have attention.</summary>
    public bool MiddleAttends { get; init; } = true;

    /// <summary>Groups of the normalisation before the middle's attention; 0 for none, null for those of all.</summary>
    public int? MiddleGroups { get; init; }

    /// <summary>Channels of a head after the middle; null for as many as before it.</summary>
    public int? HeadChannelsUp { get; init; }

    /// <summary>Size of the time's embedding; null for four times the first channels.</summary>
    public int? TimeChannels { get; init; }

    public Tensor Forward(Tensor x, Tensor timesteps, Tensor? labels)
    {
        int wide = TimeChannels ?? (4 * channels[0]);
        Tensor time = Linear("time_embedding.linear_1", Embed(timesteps, channels[0]), wide);
        time = Linear("time_embedding.linear_2", nn.functional.silu(time), wide);
        time = Classes == 0 ? time : time + P("class_embedding.weight", 1, Classes, wide)[labels!];
        int last = channels.Length - 1;
        Tensor h = Conv("conv_in", x, channels[0]);
        var skips = new Stack<Tensor>([h]);
        for (int i = 0; i <= last; i++)
        {
            for (int j = 0; j < layers; j++)
                skips.Push(h = Block($"down_blocks.{i}", j, h, time, channels[i], attention[i]));
            if (i < last)
                skips.Push(h = Down($"down_blocks.{i}.downsamplers.0", h, time));
        }

        if (HasMiddle)
        {
            h = Resnet("mid_block.resnets.0", h, time, channels[last]);
            h = MiddleAttends ? Attend("mid_block.attentions.0", h, headChannels, MiddleGroups ?? groups) : h;
            h = Resnet("mid_block.resnets.1", h, time, channels[last]);
        }

        for (int i = 0; i <= last; i++)
        {
            for (int j = 0; j <= layers; j++)
                h = Block($"up_blocks.{i}", j, cat([h, skips.Pop()], 1), time, channels[last - i], attention[last - i]);
            h = i < last ? Up($"up_blocks.{i}.upsamplers.0", h, time) : h;
        }

        return Conv("conv_out", nn.functional.silu(Norm("conv_norm_out", h)), (int)x.shape[1]);
    }

    public void Dispose() => _generator.Dispose();

    private Tensor Embed(Tensor timesteps, int size)
    {
        Tensor exponent = arange(size / 2, dtype: ScalarType.Float32) * (-Math.Log(10000) / (size / 2 - shift));
        Tensor angles = timesteps.unsqueeze(1) * exponent.exp().unsqueeze(0);
        return cosineFirst ? cat([angles.cos(), angles.sin()], 1) : cat([angles.sin(), angles.cos()], 1);
    }

    private Tensor Block(string at, int j, Tensor h, Tensor time, int size, bool attends)
    {
        h = Resnet($"{at}.resnets.{j}", h, time, size);
        bool isUp = at.StartsWith("up", StringComparison.Ordinal);
        return attends ? Attend($"{at}.attentions.{j}", h, (isUp ? HeadChannelsUp : null) ?? headChannels, groups) : h;
    }

    private Tensor Down(string at, Tensor h, Tensor time)
    {
        int size = (int)h.shape[1];
        return ByResidualBlocks ? Resnet(at, h, time, size, t => nn.functional.avg_pool2d(t, 2))
            : Conv($"{at}.conv", padding == 0 ? nn.functional.pad(h, [0, 1, 0, 1]) : h, size, stride: 2, pad: padding);
    }

    private Tensor Up(string at, Tensor h, Tensor time)
    {
        static Tensor Twice(Tensor t) => nn.functional.interpolate(t, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        int size = (int)h.shape[1];
        return ByResidualBlocks ? Resnet(at, h, time, size, Twice) : Conv($"{at}.conv", Twice(h), size);
    }

    private Tensor Resnet(string at, Tensor x, Tensor time, int size, Func<Tensor, Tensor>? resample = null)
    {
        resample ??= t => t;
        Tensor h = Conv($"{at}.conv1", resample(nn.functional.silu(Norm($"{at}.norm1", x))), size);
        Tensor modulation = Linear($"{at}.time_emb_proj", nn.functional.silu(time), scaleShift ? 2 * size : size).unsqueeze(2).unsqueeze(3);
        if (scaleShift)
        {
            Tensor[] parts = modulation.chunk(2, 1);
            h = (Norm($"{at}.norm2", h) * (1 + parts[0])) + parts[1];
        }
        else
        {
            h = Norm($"{at}.norm2", h + modulation);
        }

        h = Conv($"{at}.conv2", nn.functional.silu(h), size);
        x = resample(x);
        return h + (x.shape[1] == size ? x : Conv($"{at}.conv_shortcut", x, size, kernel: 1));
    }

    private Tensor Attend(string at, Tensor x, int? ofHead, int normGroups)
    {
        long batch = x.shape[0], size = x.shape[1], pixels = x.shape[2] * x.shape[3];
        long heads = ofHead is { } head ? size / head : 1;
        Tensor tokens = (normGroups == 0 ? x : Norm($"{at}.group_norm", x, normGroups)).view(batch, size, pixels).transpose(1, 2);
        string[] names = OldNames ? ["query", "key", "value", "proj_attn"] : ["to_q", "to_k", "to_v", "to_out.0"];
        Tensor[] parts = [.. names.Take(3)
            .Select(name => Linear($"{at}.{name}", tokens, (int)size).view(batch, pixels, heads, size / heads).transpose(1, 2))];
        Tensor weights = nn.functional.softmax(parts[0].matmul(parts[1].transpose(2, 3)) / Math.Sqrt((double)size / heads), -1);
        Tensor attended = weights.matmul(parts[2]).transpose(1, 2).reshape(batch, pixels, size);
        return x + Linear($"{at}.{names[3]}", attended, (int)size).transpose(1, 2).reshape(x.shape);
    }

    private Tensor Norm(string at, Tensor x, int? groupsHere = null)
        => nn.functional.group_norm(
            x, groupsHere ?? groups, P($"{at}.weight", 1, x.shape[1]) + 0, P($"{at}.bias", 0.1, x.shape[1]), epsilon);

    private Tensor Linear(string at, Tensor x, int size)
        => nn.functional.linear(x, P($"{at}.weight", Math.Sqrt(1.0 / x.shape[^1]), size, x.shape[^1]), P($"{at}.bias", 0.1, size));

    private Tensor Conv(string at, Tensor x, int size, int kernel = 3, int stride = 1, int? pad = null)
    {
        int around = pad ?? kernel / 2;
        return nn.functional.conv2d(x, P($"{at}.weight", Math.Sqrt(1.0 / (x.shape[1] * kernel * kernel)), size, x.shape[1], kernel, kernel),
            P($"{at}.bias", 0.1, size), strides: [stride, stride], padding: [around, around]);
    }

    private Tensor P(string name, double scale, params long[] shape)
    {
        if (!State.TryGetValue(name, out Tensor? found))
            State[name] = found = randn(shape, generator: _generator) * scale;
        return found;
    }
}
