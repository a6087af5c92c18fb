namespace FewStep.Checkpoints;

/// <summary>Reads Python pickles, protocols 2 to 5, as data: nothing is run, and names outside an allow-list are refused.</summary>
/// <remarks>Time and memory are proportional to the file: each opcode makes at most one value, long byte strings stay in the file, and the
/// number of opcodes is limited.</remarks>
internal sealed class PickleReader(ByteSource source, long position, PickleCalls calls, List<PicklePersistentId>? persistentIds)
{
    // A network of a billion weights needs some 100,000: opcodes describe tensors, not numbers.
    private const int MaximumOpcodes = 1_000_000;
    private const int MaximumNesting = 500;
    private readonly PickleInput _input = new(source, position);
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];

    private int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    public static object? Read(ByteSource source, ref long position, PickleCalls calls, List<PicklePersistentId>? persistentIds = null)
    {
        var reader = new PickleReader(source, position, calls, persistentIds);
        object? value = reader.Run();
        position = reader._input.Position;
        return value;
    }

    private object? Run()
    {
        if (_input.Byte() != (byte)PickleOpcode.Proto || _input.Byte() is < 2 or > 5)
            throw _input.Damaged("it does not start like a pickle of protocol 2 to 5");
        for (int count = 0; count < MaximumOpcodes; count++)
        {
            var opcode = (PickleOpcode)_input.Byte();
            if (opcode == PickleOpcode.Stop)
                return _stack.Count == 1 && _marks.Count == 0 ? _stack[0] : throw _input.Damaged("it stops with several values");
            if (!Scalar(opcode) && !Container(opcode) && !Memory(opcode) && !Object(opcode))
                throw _input.Damaged($"the pickle opcode 0x{(byte)opcode:x2} has no place here");
        }

        throw _input.Damaged($"more than {MaximumOpcodes} pickle opcodes");
    }

    private bool Scalar(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.None: Push(null); break;
            case PickleOpcode.NewTrue: Push(true); break;
            case PickleOpcode.NewFalse: Push(false); break;
            case PickleOpcode.BinInt: Push((long)_input.Int32()); break;
            case PickleOpcode.BinInt1: Push((long)_input.Byte()); break;
            case PickleOpcode.BinInt2: Push((long)_input.UInt16()); break;
            case PickleOpcode.Long1: Push(_input.Integer(_input.Byte())); break;
            case PickleOpcode.Long4: Push(_input.Integer(_input.UInt32())); break;
            case PickleOpcode.BinFloat: Push(_input.Float()); break;
            case PickleOpcode.ShortBinUnicode: Push(_input.Text(_input.Byte())); break;
            case PickleOpcode.BinUnicode: Push(_input.Text(_input.UInt32())); break;
            case PickleOpcode.BinUnicode8: Push(_input.Text(_input.Length64())); break;
            // Python 2 knew one kind of string: short ones are names here, long ones bytes.
            case PickleOpcode.ShortBinString: Push(Encoding.Latin1.GetString(_input.Bytes(_input.Byte()).ToArray(byte.MaxValue))); break;
            case PickleOpcode.BinString: Push(_input.Bytes(_input.UInt32())); break;
            case PickleOpcode.ShortBinBytes: Push(_input.Bytes(_input.Byte())); break;
            case PickleOpcode.BinBytes: Push(_input.Bytes(_input.UInt32())); break;
            case PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8: Push(_input.Bytes(_input.Length64())); break;
            case PickleOpcode.Frame: _input.Length64(); break;
            default: return false;
        }

        return true;
    }

    private bool Container(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.EmptyTuple: Push(Array.Empty<object?>()); break;
            case PickleOpcode.Tuple1: Push(Take(1)); break;
            case PickleOpcode.Tuple2: Push(Take(2)); break;
            case PickleOpcode.Tuple3: Push(Take(3)); break;
            case PickleOpcode.Tuple: Push(TakeToMark()); break;
            case PickleOpcode.EmptyList: Push(new List<object?>()); break;
            case PickleOpcode.List: Push(new List<object?>(TakeToMark())); break;
            case PickleOpcode.Append: Add(Take(1)); break;
            case PickleOpcode.Appends: Add(TakeToMark()); break;
            case PickleOpcode.EmptyDict: Push(new PickleDictionary()); break;
            case PickleOpcode.Dict: Push(SetEntries(new PickleDictionary(), TakeToMark())); break;
            case PickleOpcode.SetItem: SetEntries(Take(2)); break;
            case PickleOpcode.SetItems: SetEntries(TakeToMark()); break;
            case PickleOpcode.EmptySet: Push(new PickleSet([])); break;
            case PickleOpcode.FrozenSet: Push(new PickleSet([.. TakeToMark()])); break;
            case PickleOpcode.AddItems:
                object?[] items = TakeToMark();
                (Peek() as PickleSet ?? throw _input.Damaged("items for what is no set")).Items.AddRange(items);
                break;
            default: return false;
        }

        return true;
    }

    private bool Memory(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Mark:
                if (_marks.Count == MaximumNesting)
                    throw _input.Damaged($"values nested more than {MaximumNesting} deep");
                _marks.Add(_stack.Count);
                break;
            case PickleOpcode.Pop when _marks.Count > 0 && _stack.Count == Floor: _marks.RemoveAt(_marks.Count - 1); break;
            case PickleOpcode.Pop: Take(1); break;
            case PickleOpcode.PopMark: TakeToMark(); break;
            case PickleOpcode.Dup: Push(Peek()); break;
            case PickleOpcode.Memoize: _memo[(uint)_memo.Count] = Peek(); break;
            case PickleOpcode.BinPut: _memo[_input.Byte()] = Peek(); break;
            case PickleOpcode.LongBinPut: _memo[_input.UInt32()] = Peek(); break;
            case PickleOpcode.BinGet: Recall(_input.Byte()); break;
            case PickleOpcode.LongBinGet: Recall(_input.UInt32()); break;
            default: return false;
        }

        return true;
    }

    private bool Object(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Global:
                string module = _input.Line();
                Push(calls.Name(module, _input.Line(), source.Name));
                break;
            case PickleOpcode.StackGlobal:
                Push(Take(2) is [string from, string name] ? calls.Name(from, name, source.Name)
                    : throw _input.Damaged("a name that is no text"));
                break;
            case PickleOpcode.Reduce or PickleOpcode.NewObj:
                Push(Take(2) is [PickleName callee, object?[] arguments]
                    ? PickleCalls.Result(callee, arguments) ?? throw _input.Damaged($"a call of {callee.FullName} that makes no sense")
                    : throw _input.Damaged("a call of what is no name"));
                break;
            case PickleOpcode.Build:
                object? state = Take(1)[0];
                switch (Peek())
                {
                    case PickleObject made: made.State = state; break;
                    // Attributes of a dictionary, such as the version numbers of PyTorch's modules, mean nothing here.
                    case PickleDictionary: break;
                    default: throw _input.Damaged("a state for what has none");
                }

                break;
            case PickleOpcode.BinPersId when persistentIds is not null:
                var reference = new PicklePersistentId(Take(1)[0]);
                persistentIds.Add(reference);
                Push(reference);
                break;
            default: return false;
        }

        return true;
    }

    private void Push(object? value) => _stack.Add(value);
    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw _input.Damaged("a value is missing");

    private void Recall(uint slot) => Push(
        _memo.TryGetValue(slot, out object? value) ? value : throw _input.Damaged($"the value {slot} is recalled before it is stored"));

    private object?[] Take(int count)
    {
        if (_stack.Count - Floor < count)
            throw _input.Damaged("a value is missing");
        var taken = new object?[count];
        _stack.CopyTo(_stack.Count - count, taken, 0, count);
        _stack.RemoveRange(_stack.Count - count, count);
        return taken;
    }

    private object?[] TakeToMark()
    {
        if (_marks.Count == 0)
            throw _input.Damaged("a mark is missing");
        object?[] taken = Take(_stack.Count - Floor);
        _marks.RemoveAt(_marks.Count - 1);
        return taken;
    }

    private void Add(object?[] items) => (Peek() as List<object?> ?? throw _input.Damaged("items for what is no list")).AddRange(items);

    private void SetEntries(object?[] keysAndValues)
        => SetEntries(Peek() as PickleDictionary ?? throw _input.Damaged("entries for what is no dictionary"), keysAndValues);

    private PickleDictionary SetEntries(PickleDictionary dictionary, object?[] keysAndValues)
    {
        if (keysAndValues.Length % 2 != 0)
            throw _input.Damaged("a key without a value");
        for (int i = 0; i < keysAndValues.Length; i += 2)
            dictionary.Set(keysAndValues[i], keysAndValues[i + 1]);
        return dictionary;
    }
}
