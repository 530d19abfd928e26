"""A shop as a sketch: members, orders with payments, and a mailbox."""

SHOP = """
table members shop/members/models.py
table addresses shop/members/models.py -> members
table orders shop/orders/models.py -> members
table lines shop/orders/models.py -> orders
table payments shop/payments/models.py -> orders
table refunds shop/payments/models.py -> payments
table letters shop/mail/models.py -> members

    def shop.members.hooks.load()
      read members
    def shop.members.hooks.seen()
      call shop.members.services.touch
    def shop.members.services.touch(member: members)
      update members.seen_at
      commit
    def shop.members.services.register() -> members raises shop.errors.Taken
      read members
      insert members
      insert addresses
      commit
      emit registered
    def shop.members.services.reserve(member: members) -> addresses raises shop.errors.Full
      read members
      read addresses
      insert addresses
      commit
    def shop.members.views.register()
      used call shop.members.services.register
    def shop.members.views.show()
      read members
      read addresses
    def shop.members.views.move()
      read members
      update addresses
      commit

    def shop.orders.services.place(member: members) -> orders
      read members
      insert orders
      insert lines
      commit
    def shop.orders.views.place()
      used call shop.members.services.reserve
      used call shop.orders.services.place
      call shop.mail.services.post
    def shop.orders.views.show()
      read orders
      read lines
      read members
    def shop.orders.views.cancel()
      read orders
      update orders
      delete lines
      commit
      used call shop.payments.services.refund
    def shop.orders.views.remind_all()
      read orders
      update orders
      commit
      used loop call shop.mail.services.post

    def shop.payments.services.pay(order: orders) -> payments raises shop.errors.Declined
      read orders
      insert payments
      commit
    def shop.payments.services.refund(order: orders) -> refunds raises shop.errors.Declined
      read payments
      read orders
      update payments
      insert refunds
      commit
    def shop.payments.views.pay()
      read orders
      used call shop.payments.services.pay
    def shop.payments.views.refund()
      used call shop.payments.services.refund
    def shop.payments.views.show()
      read payments
      read refunds

    def shop.mail.services.post(member: members) -> letters
      insert letters
      commit
    def shop.mail.receivers.welcome(member: members)
      call shop.mail.services.post
    def shop.mail.views.inbox()
      read letters
    def shop.mail.views.discard()
      read letters
      delete letters
      commit
    def shop.mail.views.read()
      update letters
      commit
    def shop.cli.seed()
      insert members
      insert addresses
      insert orders
      insert payments
      insert letters
      commit

hook shop.members.hooks.load
hook shop.members.hooks.seen
route POST /register members.register shop.members.views.register
route GET /members/<id> members.show shop.members.views.show
route PUT /members/<id>/address members.move shop.members.views.move
route POST /orders orders.place shop.orders.views.place
route GET /orders/<id> orders.show shop.orders.views.show
route POST /orders/<id>/cancel orders.cancel shop.orders.views.cancel
route POST /orders/remind orders.remind_all shop.orders.views.remind_all
route POST /payments payments.pay shop.payments.views.pay
route POST /payments/<id>/refund payments.refund shop.payments.views.refund
route GET /payments/<id> payments.show shop.payments.views.show
route GET /letters mail.inbox shop.mail.views.inbox
route DELETE /letters/<id> mail.discard shop.mail.views.discard
route POST /letters/<id>/read mail.read shop.mail.views.read
signal registered shop.mail.receivers.welcome
command seed shop.cli.seed
"""
