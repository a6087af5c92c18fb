namespace FewStep.Checkpoints;

/// <summary>Reads a storage's bytes in their order: called again and again until all are read.</summary>
internal delegate void StorageBytes(Span<byte> destination);

/// <summary>Turns what a checkpoint says about its tensors into tensors. A storage becomes one block of memory, once, and its tensors views
/// of it.</summary>
/// <remarks>All blocks together may not exceed a limit, nor may all tensors, be they views of one block: no file can ask for more memory
/// than its own size warrants, now or when its tensors are converted.</remarks>
internal sealed class TorchStorages(string file, long maximumBytes)
{
    private const int MaximumAxes = 16;
    private const int ChunkBytes = 1 << 26;

    // A tensor costs its object even where it holds nothing; the shortest description in a file is longer.
    private const int TensorBytes = 16;

    private long _left = maximumBytes;
    private long _leftForTensors = maximumBytes;

    /// <summary>The allow-list names of tensors in a state dictionary.</summary>
    public static IEnumerable<string> TensorNames
        => ["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor", "torch._utils._rebuild_parameter"];

    /// <summary>Whether a value stands for a tensor.</summary>
    public static bool IsTensor(object? value) => value is PickleObject { Callee: var callee } && TensorNames.Contains(callee);

    /// <summary>Reads a storage into a flat tensor of the current dispose scope.</summary>
    public Tensor Load(TorchStorageReference storage, StorageBytes read)
    {
        Charge(ref _left, storage.Count * storage.Size);
        Tensor flat = empty([storage.Count], dtype: storage.Type);
        int chunk = ChunkBytes / storage.Size;
        for (long done = 0; done < storage.Count; done += chunk)
        {
            using Tensor part = flat.narrow(0, done, Math.Min(chunk, storage.Count - done));
            read(part.bytes);
        }

        return flat;
    }

    /// <summary>Makes a tensor of the current dispose scope.</summary>
    public Tensor Rebuild(object? value, string name, Func<object?, Tensor?> storage)
    {
        if (value is PickleObject { Callee: "torch._utils._rebuild_parameter", Arguments: [var data, ..] })
            value = data;
        if (value is not PickleObject
            {
                Callee: "torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor",
                Arguments: [var described, long offset, object?[] sizes, object?[] strides, ..]
            }
            || sizes.Length != strides.Length || sizes.Length > MaximumAxes || storage(described) is not { } flat || offset < 0
            || offset > flat.numel())
        {
            throw Damaged(name);
        }

        long[] shape = new long[sizes.Length], stride = new long[sizes.Length];
        bool isEmpty = sizes.Any(size => size is 0L);

        // Every product stays below 2^63: no tensor has more numbers than its storage, nor reaches beyond its end.
        long count = 1, bound = 1, last = offset, total = flat.numel(), limit = Math.Max(total, int.MaxValue);
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (sizes[axis] is not long size || size < 0 || size > limit / bound || strides[axis] is not long step || step < 0
                || (size > 1 && !isEmpty && step > total / (size - 1)))
            {
                throw Damaged(name);
            }

            (shape[axis], stride[axis]) = (size, step);
            bound *= Math.Max(size, 1);
            count *= size;
            last += isEmpty ? 0 : Math.Max(size - 1, 0) * step;
            if (last > total)
                throw Damaged(name);
        }

        Charge(ref _leftForTensors, TensorBytes + (Math.Min(count, total) * flat.element_size()));
        if (count == 0)
            return empty(shape, dtype: flat.dtype);
        if (count > total || last >= total)
            throw Damaged(name);
        Tensor view = flat.as_strided(shape, stride, offset);
        if (view.is_contiguous())
            return view;
        Charge(ref _left, count * view.element_size());
        return view.contiguous();
    }

    private void Charge(ref long left, long bytes)
    {
        if (bytes > left)
        {
            throw new InvalidInputException(
                $"{file} is damaged: its tensors need more memory than the file has bytes. Fetch the file again.");
        }

        left -= bytes;
    }

    private InvalidInputException Damaged(string name)
        => new($"{file} is damaged: the tensor {Printable.Text(name)} does not fit its storage. Fetch the file again.");
}

/// <summary>A checkpoint's reference to a storage beside the pickle.</summary>
internal sealed record TorchStorageReference(ScalarType Type, int Size, string Key, long Count)
{
    /// <summary>Reads <c>('storage', class, key, location, count)</c>, the form of both of PyTorch's formats; else null.</summary>
    public static TorchStorageReference? Parse(object? value)
        => value is PicklePersistentId { Id: object?[] and ["storage", var storageClass, string key, string, long count, .. var view] }
            && count >= 0 && view is [] or [null] && TorchStorageType.Find(storageClass) is { } type
            ? new(type.Type, type.Size, key, count)
            : null;
}

/// <summary>PyTorch's storage classes, as checkpoints name them.</summary>
internal static class TorchStorageType
{
    private static readonly Dictionary<string, (ScalarType Type, int Size)> Types = new(StringComparer.Ordinal)
    {
        ["torch.FloatStorage"] = (ScalarType.Float32, 4),
        ["torch.DoubleStorage"] = (ScalarType.Float64, 8),
        ["torch.HalfStorage"] = (ScalarType.Float16, 2),
        ["torch.BFloat16Storage"] = (ScalarType.BFloat16, 2),
        ["torch.LongStorage"] = (ScalarType.Int64, 8),
        ["torch.IntStorage"] = (ScalarType.Int32, 4),
        ["torch.ShortStorage"] = (ScalarType.Int16, 2),
        ["torch.CharStorage"] = (ScalarType.Int8, 1),
        ["torch.ByteStorage"] = (ScalarType.Byte, 1),
        ["torch.BoolStorage"] = (ScalarType.Bool, 1),
    };

    public static IEnumerable<string> Names => Types.Keys;

    /// <summary>Type and size in bytes of the class's numbers; null for a class that is not on the list.</summary>
    public static (ScalarType Type, int Size)? Find(object? storageClass)
        => storageClass is PickleName name && Types.TryGetValue(name.FullName, out (ScalarType, int) found) ? found : null;
}
